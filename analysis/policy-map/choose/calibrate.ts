// SPDX-License-Identifier: Apache-2.0
import type { Bar } from './decide.ts';
import type { Estimate } from './estimate.ts';
import { meanVector } from './mean-vector.ts';
import type { Method } from './method.ts';
import { type Example, learntCost } from './training.ts';

/** What was expected of a policy in a situation whose workload was left out, and what it was. */
export interface HeldOut {
  readonly example: Example;
  readonly estimates: readonly Estimate[];
}

/** Estimates for each example from all examples of *other* workloads, as a new workload would get them. */
export function leaveWorkloadsOut(method: Method, examples: readonly Example[]): HeldOut[] {
  const workloads = [...new Set(examples.map(({ workload }) => workload))];
  return workloads.flatMap((workload) => {
    const fitted = method.fit(examples.filter((example) => example.workload !== workload));
    return examples
      .filter((example) => example.workload === workload)
      .map((example) => ({ example, estimates: fitted.estimates(meanVector(example.vectors)) }));
  });
}

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

/**
 * How many deviations an interval must reach so that a share {@link LEVEL} of held-out situations lie inside on either side: conformal prediction with
 * scaled residuals (Papadopoulos, Gammerman and Vovk 2008; Lei et al., JASA 113 (2018) 1094-1111). Only the policy that would
 * have been picked counts, once a situation: the one that looks best is more often lucky than any other, and its interval has to
 * allow for that. Undefined with fewer than {@link LEAST_SITUATIONS} situations.
 */
export function calibrate(held: readonly HeldOut[]): Bar | undefined {
  const scores = held.flatMap(({ example, estimates }) => {
    const picked = [...estimates]
      .filter(({ failures }) => failures < FAILURES)
      .sort((a, b) => a.expected - b.expected)[0];
    const real = picked && example.costs.get(picked.policy)?.logCost;
    return picked === undefined || real === undefined
      ? []
      : [(learntCost(real) - picked.expected) / picked.deviation];
  });
  if (scores.length < LEAST_SITUATIONS) return undefined;
  return {
    upper: Math.max(0, conformalQuantile(scores)),
    lower: Math.max(0, conformalQuantile(scores.map((score) => -score))),
    atMost: NO_BETTER,
    failures: FAILURES,
  };
}

/** The ceil((n + 1) level)-th smallest of n scores: the next one lies below it with probability `LEVEL` or more. */
export function conformalQuantile(scores: readonly number[]): number {
  const sorted = scores.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length, Math.ceil((sorted.length + 1) * LEVEL));
  return sorted[at - 1] as number;
}
