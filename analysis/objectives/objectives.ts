// SPDX-License-Identifier: Apache-2.0
import type { Metric } from '../../harness/core/metric.ts';

/** What policies can be good at. */
export const OBJECTIVES = ['time', 'tail', 'fairness', 'energy'] as const;
export type Objective = (typeof OBJECTIVES)[number];

/** The objective that a metric is of; undefined for one that is of none, such as a median latency. */
export function objectiveOf({
  name,
  unit,
  primary,
}: Omit<Metric, 'value' | 'direction'>): Objective | undefined {
  if (unit === 'J') return 'energy';
  if (name === 'fairness') return 'fairness';
  if (/_p9\d*$/.test(name)) return 'tail';
  return primary || name === 'time' || name === 'time_after' || name === 'rate' ? 'time' : undefined;
}

/** A workload's metric for each objective: the primary one where it fits, else the first by name. Measured energy before modelled. */
export function metricsByObjective(metrics: readonly Metric[]): ReadonlyMap<Objective, string> {
  const ordered = metrics.toSorted(
    (a, b) => Number(b.primary) - Number(a.primary) || (a.name < b.name ? -1 : 1),
  );
  const chosen = OBJECTIVES.flatMap((objective) => {
    const metric =
      ordered.find((each) => objectiveOf(each) === objective && !each.name.endsWith('_modelled')) ??
      ordered.find((each) => objectiveOf(each) === objective);
    return metric === undefined ? [] : [[objective, metric.name] as const];
  });
  return new Map(chosen);
}
