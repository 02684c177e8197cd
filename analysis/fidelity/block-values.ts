// SPDX-License-Identifier: Apache-2.0
import { metricValue, pickMetric } from '../tables/pick-metric.ts';
import type { RanEngine } from './engine-run.ts';

/** Primary metric of each block in which the policy completed the workload; A/A trials are left out. */
export function blockValues(
  run: RanEngine,
  workload: string,
  variant: string,
  policy: string,
): ReadonlyMap<number, number> {
  const records = run.records.filter(
    (record) => record.workload === workload && record.variant === variant && record.role === 'measure',
  );
  const metric = pickMetric(records, undefined);
  return new Map(
    records.flatMap((record) => {
      if (record.policy !== policy || metric === undefined) return [];
      const value = metricValue(record, metric.name);
      return value === undefined ? [] : [[record.block, value] as const];
    }),
  );
}
