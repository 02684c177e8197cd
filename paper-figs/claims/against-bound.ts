// SPDX-License-Identifier: Apache-2.0
import { holm } from '../../analysis/stats/adjust.ts';
import { meanOf, varianceOf } from '../../analysis/stats/moments.ts';
import { type PairedRatio, pairedRatio } from '../../analysis/stats/paired-ratio.ts';
import { studentTails } from '../../analysis/stats/student.ts';

const LEAST_BLOCKS = 5;
const MOST_FAILURES = 0.1;
const ALPHA = 0.05;

/** Costs of one thing over another's: a natural logarithm a block (or whatever the unit is), and the blocks that have none. */
export interface Asked {
  readonly logs: readonly number[];
  /** Blocks in which one of the two did not complete. */
  readonly failures?: number;
}

/** `below`, `above`: the true ratio surely is. `open`: neither is shown. */
export type Answer = 'below' | 'above' | 'open' | 'too few blocks' | 'fails';

/**
 * Whether each of a family of ratios surely is below or above a bound, by the rule of the tables: five blocks at least, at most a tenth of
 * them failed, and the t test on logarithms adjusted by Holm over the whole family. A member that has too few blocks or fails cannot be claimed,
 * and counts in the correction all the same. In the order of `family`.
 */
export function againstBound(family: readonly Asked[], bound: number): Answer[] {
  const shifted = family.map(({ logs }) => logs.map((log) => log - Math.log(bound)));
  const tested = holm(shifted.map(pOf));
  return family.map(({ logs, failures = 0 }, at): Answer => {
    if (failures > MOST_FAILURES * (failures + logs.length)) return 'fails';
    if (logs.length < LEAST_BLOCKS) return 'too few blocks';
    if ((tested[at] as number) > ALPHA) return 'open';
    return meanOf(shifted[at] as number[]) < 0 ? 'below' : 'above';
  });
}

function pOf(logs: readonly number[]): number {
  const error = Math.sqrt(varianceOf(logs) / logs.length);
  return logs.length < 2 || error === 0 ? 1 : studentTails(meanOf(logs) / error, logs.length - 1);
}

/** Whether each surely lies beyond a margin on either side: cheaper by it, or dearer. */
export function beyondMargin(family: readonly Asked[], margin: number): Answer[] {
  const below = againstBound(family, 1 / (1 + margin));
  const above = againstBound(family, 1 + margin);
  return below.map((answer, at) =>
    answer === 'open' || answer === 'above' ? (above[at] === 'above' ? 'above' : 'open') : answer,
  );
}

/** The geometric mean with its own 95 % interval, which knows of no family. */
export function ratioOf({ logs }: Asked): PairedRatio {
  return pairedRatio(logs.map((log) => ({ value: Math.exp(log), baseline: 1 })));
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
