// SPDX-License-Identifier: Apache-2.0
import type { Estimate } from './estimate.ts';
import { meanVector } from './mean-vector.ts';
import type { FittedMethod, Method } from './method.ts';
import { type Example, learntCost } from './training.ts';

/**
 * Share of new workloads whose cost is to lie below the upper end of a recommendation's interval, and above the lower end. Three in four: with some
 * thirty workloads to learn from, nine in ten would recommend nothing (`pmvx map evaluate` shows what this one gives).
 */
export const LEVEL = 0.75;
/** Fewer situations than this calibrate nothing. */
export const LEAST_SITUATIONS = 8;
/** Less than 1 % is "no better": a change of policy is never for nothing. */
export const NO_BETTER = Math.log(0.99);
/** Weighted share of failures nearby from which a policy is left alone. */
export const FAILURES = 0.02;
/** Up to so many workloads each is a fold of its own; more make `FOLDS`. */
const MOST_ALONE = 30;
const FOLDS = 5;

/** What all examples but those of some workloads lead to, and how far off it is on each of those. */
export interface Fold {
  /** Learnt on the others, settings chosen on the others. */
  readonly fitted: FittedMethod;
  /** Of each situation of the fold: what its best pick really cost less what was expected, in deviations of the estimate. */
  readonly scores: readonly number[];
}

/** What a fold says at one vector. */
export interface FoldEstimates {
  readonly estimates: readonly Estimate[];
  readonly scores: readonly number[];
}

/** An estimate with the interval that so many new workloads lie in, on the scale of `learntCost`. */
export interface Bounded extends Estimate {
  readonly low: number;
  readonly high: number;
}

/** Workloads of examples in groups that are left out together; the same for the same names. */
export function foldsOf(examples: readonly Example[]): ReadonlySet<string>[] {
  const workloads = [...new Set(examples.map(({ workload }) => workload))].sort();
  const count = workloads.length <= MOST_ALONE ? workloads.length : FOLDS;
  return Array.from(
    { length: count },
    (_, fold) => new Set(workloads.filter((_, at) => at % count === fold)),
  );
}

/** Fits a method once for each fold, on all others: neither its settings nor what it learns have seen the workloads it is judged on. */
export function crossFit(method: Method, examples: readonly Example[]): Fold[] {
  return foldsOf(examples).map((fold) => {
    const others = examples.filter(({ workload }) => !fold.has(workload));
    const fitted = (method.chosenOn?.(others) ?? method).fit(others);
    return {
      fitted,
      scores: scoresOf(
        fitted,
        examples.filter(({ workload }) => fold.has(workload)),
      ),
    };
  });
}

/** Only the policy that would be picked counts, once a situation: what looks best is more often lucky than any other, and intervals have to allow for that. */
export function scoresOf(fitted: FittedMethod, examples: readonly Example[]): number[] {
  return examples.flatMap(({ vectors, costs }) => {
    const picked = bestOf(fitted.estimates(meanVector(vectors)));
    const real = picked && costs.get(picked.policy)?.logCost;
    return picked === undefined || real === undefined
      ? []
      : [(learntCost(real) - picked.expected) / picked.deviation];
  });
}

/** The best estimate among policies that do not fail nearby. */
export function bestOf<T extends Estimate>(estimates: readonly T[]): T | undefined {
  return estimates
    .filter(({ failures }) => failures < FAILURES)
    .toSorted((a, b) => a.expected - b.expected || (a.policy < b.policy ? -1 : 1))[0];
}

/**
 * Estimates with intervals by CV+, which is the jackknife+ where each workload is a fold (Barber, Candes, Ramdas and Tibshirani, "Predictive inference with the
 * jackknife+", Annals of Statistics 49 (2021) 486-507), with residuals scaled by each estimate's deviation (Lei et al., JASA 113 (2018) 1094-1111): an end is a
 * quantile of what the folds, which did not see a situation, say of this vector, each off as far as it was there. Undefined with fewer than
 * {@link LEAST_SITUATIONS} scores. Where a fold knows nothing of a policy the estimate of all stands for it.
 */
export function withIntervals(
  estimates: readonly Estimate[],
  folds: readonly FoldEstimates[],
): Bounded[] | undefined {
  const count = folds.reduce((sum, { scores }) => sum + scores.length, 0);
  if (count < LEAST_SITUATIONS) return undefined;
  const known = folds.map((fold) => ({
    scores: fold.scores,
    byPolicy: new Map(fold.estimates.map((each) => [each.policy, each])),
  }));
  return estimates.map((estimate) => {
    const values = new Float64Array(count);
    let at = 0;
    for (const { scores, byPolicy } of known) {
      const { expected, deviation } = byPolicy.get(estimate.policy) ?? estimate;
      for (const score of scores) values[at++] = expected + score * deviation;
    }
    // Floats are sorted as numbers, and far faster than lists.
    values.sort();
    const rank = rankOf(count);
    const [low, high] = [values[count - rank] as number, values[rank - 1] as number];
    return {
      ...estimate,
      low: Math.min(estimate.expected, low),
      high: Math.max(estimate.expected, high),
    };
  });
}

/** The ceil((n + 1) level)-th smallest of n values: the next one lies below it with probability `LEVEL` or more. */
export function conformalQuantile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[rankOf(values.length) - 1] as number;
}

function rankOf(count: number): number {
  return Math.min(count, Math.ceil((count + 1) * LEVEL));
}
