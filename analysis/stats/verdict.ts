// SPDX-License-Identifier: Apache-2.0
import type { Direction } from '../../harness/core/metric.ts';
import { ALPHA, type Tested } from './judge-family.ts';
import type { PairedRatio } from './paired-ratio.ts';
import type { UnpairedRatio } from './welch-ratio.ts';

/** In the order in which they are explained. */
export const VERDICTS = ['better', 'worse', 'equivalent', 'undecided', 'too few blocks', 'fails'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Ratios within 2 % are equivalent unless an experiment says otherwise. */
export const MARGIN = 1.02;
/** Fewer pairs of blocks show too little of the spread for any verdict. */
export const LEAST_BLOCKS = 5;
/** Of the trials of either side may fail: what is left of more is a choice that the failures made. */
export const MOST_FAILURES = 0.1;

/** What a verdict needs besides the tests. */
export interface Facts {
  readonly direction: Direction;
  /** Share of recorded trials that did not complete, of the policy and of the baseline. */
  readonly failureRate: number;
  readonly baselineFailureRate: number;
  /** Whether a null control was planned and is not there, or differs from the baseline that it is. */
  readonly controlFailed?: boolean;
}

/**
 * `fails`: more than `MOST_FAILURES` of the policy's trials did not complete. `too few blocks`: fewer than `LEAST_BLOCKS` pairs. `better`,
 * `worse`: the family's test says that the true ratio lies beyond the margin; `equivalent`: that it lies within. Else `undecided`, and so
 * is everything where the baseline fails or the planned null control is not sound. Undefined without a ratio where nothing failed.
 */
export function verdict(
  ratio: PairedRatio | UnpairedRatio,
  tested: Tested | undefined,
  { direction, failureRate, baselineFailureRate, controlFailed = false }: Facts,
): Verdict | undefined {
  if (failureRate > MOST_FAILURES) return 'fails';
  if (ratio.kind === 'none' && ratio.why !== 'no-pairs') return undefined;
  if (ratio.pairs < LEAST_BLOCKS) return 'too few blocks';
  if (ratio.kind !== 'interval' || tested === undefined) return 'undecided';
  if (baselineFailureRate > MOST_FAILURES || controlFailed) return 'undecided';
  if (tested.pDiffers <= ALPHA) return ratio.ratio < 1 === (direction === 'lower') ? 'better' : 'worse';
  return tested.pEquivalent <= ALPHA ? 'equivalent' : 'undecided';
}

/** The p that the verdict rests on: of the test of equivalence where it is that, else of the difference. */
export function decidingP(verdict: Verdict | undefined, tested: Tested | undefined): number | undefined {
  if (tested === undefined || verdict === undefined) return undefined;
  if (verdict === 'too few blocks' || verdict === 'fails') return undefined;
  return verdict === 'equivalent' ? tested.pEquivalent : tested.pDiffers;
}
