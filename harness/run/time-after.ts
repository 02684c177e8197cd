// SPDX-License-Identifier: Apache-2.0
import { type Metric, TIME_AFTER } from '../core/metric.ts';
import type { WorkloadDefinition } from '../core/workload.ts';
import type { RunResult } from '../lab/engine.ts';

/**
 * The metrics of a run: the workload's own, and where the policy took over in a run of fixed work the seconds from there to its
 * end. That one is primary then: the workload's own also measure what all policies share. A run of a set time gets none, since
 * its length says nothing.
 */
export function withTimeAfter(
  metrics: readonly Metric[],
  workload: Pick<WorkloadDefinition, 'ends'>,
  { elapsedNs, forkNs }: Pick<RunResult, 'elapsedNs' | 'forkNs'>,
): readonly Metric[] {
  if (forkNs === undefined || workload.ends === 'time') return metrics;
  const after: Metric = {
    name: TIME_AFTER,
    unit: 's',
    direction: 'lower',
    primary: true,
    value: (elapsedNs - forkNs) / 1e9,
  };
  return [...metrics.map((metric) => ({ ...metric, primary: false })), after];
}
