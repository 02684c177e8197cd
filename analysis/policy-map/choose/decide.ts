// SPDX-License-Identifier: Apache-2.0
import type { Estimate } from './estimate.ts';
import { logCostOf } from './training.ts';

/** How much must be certain before a policy is recommended. */
export interface Bar {
  /** Deviations added to an estimate for the upper end of its interval: from the calibration. */
  readonly upper: number;
  /** Deviations subtracted for the lower end. */
  readonly lower: number;
  /** The upper end must be below this. */
  readonly atMost: number;
  /** Weighted share of failures nearby from which a policy is left alone. */
  readonly failures: number;
}

/** A policy in the order of its expected cost, with its interval: natural logarithms of cost over the baseline's. */
export interface Ranked extends Pick<Estimate, 'policy' | 'failures'> {
  readonly logCost: number;
  readonly low: number;
  readonly high: number;
  /** Why it is not recommended; absent when it may be. */
  readonly against?: 'fails' | 'no better';
}

export interface Decision {
  /** Undefined: the baseline. */
  readonly policy?: string;
  readonly ranking: readonly Ranked[];
}

/** Ranks, and picks the policy with the least expected cost among those that nothing speaks against. */
export function decide(estimates: readonly Estimate[], bar: Bar): Decision {
  const ranking = estimates
    .map(({ policy, expected, deviation, failures }): Ranked => {
      const logCost = logCostOf(expected);
      const low = logCostOf(expected - bar.lower * deviation);
      const high = logCostOf(expected + bar.upper * deviation);
      const against = failures >= bar.failures ? 'fails' : high >= bar.atMost ? 'no better' : undefined;
      return { policy, failures, logCost, low, high, ...(against === undefined ? {} : { against }) };
    })
    .sort((a, b) => a.logCost - b.logCost || (a.policy < b.policy ? -1 : 1));
  const best = ranking.find(({ against }) => against === undefined);
  return { ...(best === undefined ? {} : { policy: best.policy }), ranking };
}
