// SPDX-License-Identifier: Apache-2.0
import { boundsOf, countOf, mergeHistograms } from '../../harness/core/histogram.ts';
import type { Histogram } from '../../harness/core/metric.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';

/** Values that one policy's completed trials of a workload saw, merged over blocks. */
export interface DistributionRow {
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
  readonly engine: string;
  readonly policy: string;
  readonly role: 'measure' | 'aa';
  /** The metric that carries the distribution, such as `wakeup_p99`. */
  readonly metric: string;
  readonly unit: string;
  /** Completed trials that are merged, and the values in them. */
  readonly trials: number;
  readonly count: number;
  /**
   * The empirical distribution function: the share of values below `value`, in rising order, at the upper bounds of
   * occupied buckets (at most 1/32 above the values themselves). The first has share 0.
   */
  readonly steps: readonly { readonly value: number; readonly share: number }[];
}

/**
 * The merged distribution of each metric that has one, by workload and policy, in the order of the records' trials. A policy of which a
 * completed trial has no distribution for the metric is left out: the rest would be of other trials than its other figures.
 */
export function distributionRows(records: readonly TrialRecord[]): DistributionRow[] {
  interface Group {
    readonly of: Omit<DistributionRow, 'trials' | 'count' | 'steps'>;
    readonly histograms: (Histogram | undefined)[];
  }
  const groups = new Map<string, Group>();
  for (const record of records.toSorted((a, b) => (a.trial < b.trial ? -1 : 1))) {
    if (record.state !== 'completed') continue;
    const { workload, variant, point, engine, policy, role } = record;
    for (const { name, unit, histogram } of record.metrics) {
      const of = { workload, variant, point: `${point}`, engine, policy, role, metric: name, unit };
      const key = JSON.stringify(Object.values(of));
      const group = groups.get(key) ?? { of, histograms: [] };
      groups.set(key, group);
      group.histograms.push(histogram);
    }
  }
  return [...groups.values()].flatMap(({ of, histograms }): DistributionRow[] => {
    const present = histograms.filter((histogram) => histogram !== undefined);
    if (present.length === 0 || present.length < histograms.length) return [];
    const merged = mergeHistograms(present);
    const count = countOf(merged);
    return count === 0 ? [] : [{ ...of, trials: present.length, count, steps: stepsOf(merged, count) }];
  });
}

function stepsOf({ buckets }: Histogram, count: number): DistributionRow['steps'] {
  let below = 0;
  const steps = buckets.map(([bucket, more]) => {
    below += more;
    return { value: boundsOf(bucket)[1], share: below / count };
  });
  const [first] = buckets;
  return first === undefined ? [] : [{ value: boundsOf(first[0])[0], share: 0 }, ...steps];
}
