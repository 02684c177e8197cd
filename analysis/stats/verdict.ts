// SPDX-License-Identifier: Apache-2.0
import type { Direction } from '../../harness/core/metric.ts';
import type { PairedRatio } from './paired-ratio.ts';
import type { UnpairedRatio } from './welch-ratio.ts';

export type Verdict = 'better' | 'worse' | 'equivalent' | 'undecided';

/** By what a difference is judged. */
export interface Yardstick {
  readonly direction: Direction;
  /** Differences within 1 / margin to margin do not matter; at least 1. */
  readonly margin: number;
  /** The workload's noise floor, from its A/A control; absent without one. */
  readonly floor?: number | undefined;
}

/** Ratios within 2 % are equivalent unless an experiment says otherwise. */
export const MARGIN = 1.02;

/**
 * `equivalent`: the 90 % interval lies within the margin, which is two one-sided tests at 5 % (Schuirmann 1987). `better` or `worse`: the
 * 95 % interval lies wholly outside the noise floor, not only beside 1: what the baseline shows against itself is no claim. Without an A/A
 * control the margin takes the place of the floor. Else `undecided`. A difference that is real and within the margin is equivalent: on an
 * exact engine blocks can agree to a part in a thousand, and then nearly everything differs from 1. Undefined without an interval.
 */
export function verdict(
  ratio: PairedRatio | UnpairedRatio,
  { direction, margin, floor = margin }: Yardstick,
): Verdict | undefined {
  if (ratio.kind !== 'interval') return undefined;
  const { within } = ratio;
  if (within.low >= 1 / margin && within.high <= margin) return 'equivalent';
  if (ratio.high < 1 / floor) return direction === 'lower' ? 'better' : 'worse';
  if (ratio.low > floor) return direction === 'lower' ? 'worse' : 'better';
  return 'undecided';
}
