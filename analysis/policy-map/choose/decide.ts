// SPDX-License-Identifier: Apache-2.0
import { type Bounded, FAILURES, NO_BETTER } from './calibrate.ts';
import type { Estimate } from './estimate.ts';
import { logCostOf } from './training.ts';

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
export function decide(estimates: readonly Bounded[]): Decision {
  const ranking = estimates
    .map(({ policy, expected, low, high, failures }): Ranked => {
      const [logCost, least, most] = [expected, low, high].map(logCostOf) as [number, number, number];
      const against = failures >= FAILURES ? 'fails' : most >= NO_BETTER ? 'no better' : undefined;
      return {
        policy,
        failures,
        logCost,
        low: least,
        high: most,
        ...(against === undefined ? {} : { against }),
      };
    })
    .sort((a, b) => a.logCost - b.logCost || (a.policy < b.policy ? -1 : 1));
  const best = ranking.find(({ against }) => against === undefined);
  return { ...(best === undefined ? {} : { policy: best.policy }), ranking };
}
