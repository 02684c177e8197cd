// SPDX-License-Identifier: Apache-2.0

import { OBJECTIVES, type Objective, type Outcome } from './evidence.ts';
import { type Moments, NO_MOMENTS, withValue } from './moments.ts';

/** All that is known of one policy in one situation. */
export interface PolicySummary {
  readonly policy: string;
  readonly trials: number;
  readonly failures: number;
  /** Of the logarithms of cost over the baseline's, over blocks. */
  readonly logCosts: Readonly<Record<Objective, Moments>>;
}

const DOUBLES = 3 + 3 * OBJECTIVES.length;

export function emptySummary(policy: string): PolicySummary {
  const logCosts = Object.fromEntries(OBJECTIVES.map((objective) => [objective, NO_MOMENTS]));
  return { policy, trials: 0, failures: 0, logCosts: logCosts as Record<Objective, Moments> };
}

/** With one more outcome. */
export function withOutcome(summary: PolicySummary, outcome: Outcome): PolicySummary {
  const logCosts = { ...summary.logCosts };
  for (const objective of OBJECTIVES) {
    const value = outcome.logCosts[objective];
    if (value !== undefined) logCosts[objective] = withValue(logCosts[objective], value);
  }
  return {
    policy: summary.policy,
    trials: summary.trials + 1,
    failures: summary.failures + (outcome.failed ? 1 : 0),
    logCosts,
  };
}

/**
 * Summaries as one run of little-endian doubles, {@link DOUBLES} a policy: its number, trials, failures, then n, mean and m2 of each
 * objective. A query reads these alone: no outcome is touched.
 */
export function packSummaries(
  summaries: readonly PolicySummary[],
  numberOf: (policy: string) => number,
): Uint8Array {
  const packed = new Float64Array(summaries.length * DOUBLES);
  summaries.forEach((summary, row) => {
    let at = row * DOUBLES;
    packed[at++] = numberOf(summary.policy);
    packed[at++] = summary.trials;
    packed[at++] = summary.failures;
    for (const objective of OBJECTIVES) {
      const { n, mean, m2 } = summary.logCosts[objective];
      packed[at++] = n;
      packed[at++] = mean;
      packed[at++] = m2;
    }
  });
  return new Uint8Array(packed.buffer);
}

export function unpackSummaries(bytes: Uint8Array, nameOf: (policy: number) => string): PolicySummary[] {
  // A copy: the bytes of a database row need not lie on a boundary of eight.
  const packed = new Float64Array(new Uint8Array(bytes).buffer);
  const summaries: PolicySummary[] = [];
  for (let row = 0; row + DOUBLES <= packed.length; row += DOUBLES) {
    const moments = (objective: number): Moments => ({
      n: packed[row + 3 + 3 * objective] as number,
      mean: packed[row + 4 + 3 * objective] as number,
      m2: packed[row + 5 + 3 * objective] as number,
    });
    summaries.push({
      policy: nameOf(packed[row] as number),
      trials: packed[row + 1] as number,
      failures: packed[row + 2] as number,
      logCosts: { primary: moments(0), time: moments(1), tail: moments(2), energy: moments(3) },
    });
  }
  return summaries;
}
