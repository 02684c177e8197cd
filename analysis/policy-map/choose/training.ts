// SPDX-License-Identifier: Apache-2.0
import type { Objective } from '../evidence.ts';
import { varianceOf } from '../moments.ts';
import type { PlacedSituation, SituationEvidence } from '../policy-map.ts';

/** What is known of one policy in a situation, for one objective. */
export interface KnownCost {
  /** Mean logarithm of cost over the baseline's; absent when no pair was measured. */
  readonly logCost?: number;
  /** Of the mean, from block to block; absent with fewer than two blocks. */
  readonly variance?: number;
  readonly trials: number;
  readonly failures: number;
}

/**
 * A cost as methods learn it: sign(x) ln(1 + |x|) of its logarithm x. Up to some tens of per cent that is nearly x; of ratios of tail latencies,
 * which reach hundreds and would rule every mean, it keeps the order and little more. Outcomes are kept as they are.
 */
export function learntCost(logCost: number): number {
  return Math.sign(logCost) * Math.log1p(Math.abs(logCost));
}

/** The logarithm of a cost from what was learnt of it: the inverse of {@link learntCost}. */
export function logCostOf(learnt: number): number {
  return Math.sign(learnt) * Math.expm1(Math.abs(learnt));
}

/** Costs by policy. */
export type KnownCosts = ReadonlyMap<string, KnownCost>;

/** A situation as methods learn from it. */
export interface Example {
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
  readonly vectors: readonly Float32Array[];
  readonly costs: KnownCosts;
}

export function costsOf({ policies }: SituationEvidence, objective: Objective): KnownCosts {
  return new Map(
    policies.map(({ policy, trials, failures, logCosts }) => {
      const moments = logCosts[objective];
      const variance = varianceOf(moments);
      const cost: KnownCost = {
        trials,
        failures,
        ...(moments.n === 0 ? {} : { logCost: moments.mean }),
        ...(variance === undefined ? {} : { variance: variance / moments.n }),
      };
      return [policy, cost];
    }),
  );
}

/** With `under`, only vectors that were seen under that policy. */
export function exampleOf(situation: PlacedSituation, objective: Objective, under?: string): Example {
  const { workload, variant, point } = situation;
  const vectors = situation.vectors.filter(({ policy }) => under === undefined || policy === under);
  return {
    workload,
    variant,
    point,
    vectors: vectors.map(({ vector }) => vector),
    costs: costsOf(situation, objective),
  };
}

/** Mean and variance of each policy's learnt cost over situations: what is to be expected when nothing is known of a situation. */
export type Priors = ReadonlyMap<
  string,
  { readonly mean: number; readonly variance: number; readonly situations: number }
>;

export function priorsOf(examples: readonly { readonly costs: KnownCosts }[]): Priors {
  const values = new Map<string, number[]>();
  for (const { costs } of examples) {
    for (const [policy, { logCost }] of costs) {
      if (logCost === undefined) continue;
      const known = values.get(policy) ?? [];
      values.set(policy, known);
      known.push(learntCost(logCost));
    }
  }
  return new Map(
    [...values].map(([policy, costs]) => {
      const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
      const squares = costs.reduce((sum, cost) => sum + (cost - mean) ** 2, 0);
      // One situation has no spread of its own: then any cost up to a factor of two either way is no surprise.
      const variance = costs.length > 1 ? squares / (costs.length - 1) : Math.log(2) ** 2;
      return [policy, { mean, variance, situations: costs.length }];
    }),
  );
}
