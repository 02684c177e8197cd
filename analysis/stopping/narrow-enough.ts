// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../../harness/core/trial.ts';
import { LEAST_BLOCKS } from '../stats/verdict.ts';
import { outcomeTable } from '../tables/outcome-table.ts';
import type { OutcomeRow, TableInput } from '../tables/outcome-types.ts';

/**
 * Whether the intervals that a spec's rule `width` names are all narrow enough in these records. A cell in which nothing completed, or
 * whose values give no ratio, will never have an interval, and is not waited for. Fewer blocks than a verdict needs are never enough. False for any other rule, and when no cell has an interval.
 */
export function narrowEnough(spec: TableInput['spec'], records: readonly TrialRecord[]): boolean {
  const { stop } = spec;
  if (stop.rule !== 'width') return false;
  const rows = outcomeTable({ run: spec.name, spec, planned: [], records, onlyRatios: true }).rows.filter(
    ({ role, policy, workload }) =>
      role === 'measure' &&
      (stop.policies?.includes(policy) ?? true) &&
      (stop.workloads?.includes(workload) ?? true),
  );
  const waited = rows.filter((row) => !isHopeless(row));
  return (
    waited.length > 0 &&
    waited.every(
      ({ ratio }) =>
        ratio?.kind === 'interval' && ratio.pairs >= LEAST_BLOCKS && ratio.high / ratio.low <= stop.width,
    )
  );
}

function isHopeless({ median, ratio }: OutcomeRow): boolean {
  return median === undefined || (ratio?.kind === 'none' && ratio.why !== 'no-pairs');
}
