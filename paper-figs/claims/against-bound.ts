// SPDX-License-Identifier: Apache-2.0
import { type Evidence, pairedEvidence } from '../../analysis/stats/evidence.ts';
import { ALPHA, judgeFamily } from '../../analysis/stats/judge-family.ts';
import { type Pair, type PairedRatio, pairedRatio } from '../../analysis/stats/paired-ratio.ts';
import { LEAST_BLOCKS, MOST_FAILURES } from '../../analysis/stats/verdict.ts';

/** Costs of one thing over another's: a natural logarithm a block (or whatever the unit is), and the blocks that have none. */
export interface Asked {
  readonly logs: readonly number[];
  /** Blocks in which one of the two did not complete. */
  readonly failures?: number;
  /** Whether what a host does can reach from one block into the next, as in real time. */
  readonly drifts?: boolean;
}

/** `below`, `above`: the true ratio surely is. `open`: neither is shown. */
export type Answer = 'below' | 'above' | 'open' | 'too few blocks' | 'fails';

/**
 * Whether each of a family of ratios surely is below or above a bound, by the rule of the tables (`judgeFamily`): five blocks at least, at most a
 * tenth of them failed, and the t test on logarithms adjusted by Holm over the whole family. A member that has too few blocks or fails cannot be
 * claimed, and counts in the correction all the same. In the order of `family`.
 */
export function againstBound(family: readonly Asked[], bound: number): Answer[] {
  return answers(family, bound, 1);
}

/** Whether each surely lies beyond a margin on either side: cheaper by it, or dearer. */
export function beyondMargin(family: readonly Asked[], margin: number): Answer[] {
  return answers(family, 1, 1 + margin);
}

function answers(family: readonly Asked[], bound: number, margin: number): Answer[] {
  const cells = family.map((asked) => evidenceOf(asked, bound));
  const tested = judgeFamily(cells, { margin });
  return family.map(({ logs, failures = 0 }, at): Answer => {
    if (failures > MOST_FAILURES * (failures + logs.length)) return 'fails';
    if (logs.length < LEAST_BLOCKS) return 'too few blocks';
    if ((tested[at]?.pDiffers ?? 1) > ALPHA) return 'open';
    return (cells[at]?.mean ?? 0) < 0 ? 'below' : 'above';
  });
}

function evidenceOf(asked: Asked, bound: number): Evidence | undefined {
  return asked.logs.length < LEAST_BLOCKS
    ? undefined
    : pairedEvidence(pairsOf(asked, bound), asked.drifts === true);
}

function pairsOf({ logs }: Asked, bound: number): Pair[] {
  return logs.map((log) => ({ value: Math.exp(log - Math.log(bound)), baseline: 1 }));
}

/** The geometric mean with its own 95 % interval, which knows of no family. */
export function ratioOf(asked: Asked): PairedRatio {
  return pairedRatio(pairsOf(asked, 1));
}

/** `0.966 (0.948 to 0.985, n = 5)`. */
export function costWords(asked: Asked): string {
  const ratio = ratioOf(asked);
  if (ratio.kind === 'none') return 'an unknown share (n = 0)';
  if (ratio.kind === 'point') return `${ratio.ratio.toFixed(3)} (n = 1)`;
  return `${ratio.ratio.toFixed(3)} (${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}, n = ${ratio.pairs})`;
}

/** An answer about costs as a half sentence. */
export function answerWords(answer: Answer, bound: number): string {
  switch (answer) {
    case 'below':
      return `surely below ${bound.toFixed(2)}`;
    case 'above':
      return `surely above ${bound.toFixed(2)}`;
    case 'open':
      return `not shown to be below ${bound.toFixed(2)}`;
    case 'too few blocks':
      return `too few blocks (${LEAST_BLOCKS} are asked)`;
    case 'fails':
      return 'too many blocks failed';
  }
}
