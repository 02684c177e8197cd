// SPDX-License-Identifier: Apache-2.0
import { type KnownCosts, learntCost, type Priors } from './training.ts';

/** What a policy is expected to cost in a situation that was not measured. */
export interface Estimate {
  readonly policy: string;
  /** Cost over the baseline's, on the scale of `learntCost`. */
  readonly expected: number;
  /** Standard deviation of what a measurement there would differ from it, on the same scale, before calibration. */
  readonly deviation: number;
  /** Weighted share of trials nearby that the policy failed, 0 to 1. */
  readonly failures: number;
}

export interface Near {
  readonly distance: number;
  readonly costs: KnownCosts;
}

/** How neighbours are weighed. */
export interface KnnSettings {
  readonly k: number;
  /** Distance at which a neighbour says about as much as the prior does. */
  readonly bandwidth: number;
}

/** A neighbour at no distance at all weighs as much as 25 at the bandwidth. */
const CLOSEST = 0.2;
/** Measured values are never surer than this: the machine of tomorrow differs by half a per cent. */
const LEAST_DEVIATION = 0.005;

/**
 * Distance-weighted mean of learnt costs over the neighbours, drawn towards each policy's mean over all situations by the
 * weight of one neighbour at the bandwidth. The deviation joins how much neighbours disagree, how far the prior's situations lie
 * apart, and how noisy each measurement is; so evidence that contradicts itself widens it.
 *
 * Source: inverse distance weighting (Shepard, "A two-dimensional interpolation function for irregularly-spaced data", 1968) of k nearest
 * neighbours (Dudani, IEEE Trans. Syst. Man Cybern. 6 (1976) 325-327).
 */
export function knnEstimates(
  near: readonly Near[],
  priors: Priors,
  { k, bandwidth }: KnnSettings,
): Estimate[] {
  const nearest = near.slice(0, k);
  return [...priors].map(([policy, prior]) => {
    let [weights, squares, sum, trialWeights, failures] = [1, 1, prior.mean, 0, 0];
    const known: { weight: number; learnt: number; variance: number }[] = [];
    for (const { distance, costs } of nearest) {
      const cost = costs.get(policy);
      if (cost === undefined) continue;
      const weight = (bandwidth / Math.max(distance, CLOSEST * bandwidth)) ** 2;
      trialWeights += weight;
      failures += (weight * cost.failures) / cost.trials;
      if (cost.logCost === undefined) continue;
      weights += weight;
      squares += weight * weight;
      const learnt = learntCost(cost.logCost);
      sum += weight * learnt;
      known.push({ weight, learnt, variance: cost.variance ?? 0 });
    }
    const expected = sum / weights;
    let spread = prior.variance + (prior.mean - expected) ** 2;
    for (const { weight, learnt, variance } of known)
      spread += weight * ((learnt - expected) ** 2 + variance);
    // As many neighbours as the weights amount to (Kish's effective sample size).
    const effective = (weights * weights) / squares;
    const deviation = Math.max(LEAST_DEVIATION, Math.sqrt((spread / weights) * (1 + 1 / effective)));
    return { policy, expected, deviation, failures: trialWeights > 0 ? failures / trialWeights : 0 };
  });
}
