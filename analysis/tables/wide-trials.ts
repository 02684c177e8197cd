// SPDX-License-Identifier: Apache-2.0
import type { CsvCell } from '../../harness/core/csv.ts';
import type { Metric } from '../../harness/core/metric.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';

/** Columns of the wide form before its metrics, in order; `results/README.md` describes each. */
export const WIDE_COLUMNS = [
  'run',
  'trial',
  'block',
  'seed',
  'workload',
  'variant',
  'point',
  'policy',
  'role',
  'engine',
  'state',
  'reason',
  'exit_status',
  'guest_seconds',
  'elapsed_seconds',
  'user_seconds',
  'system_seconds',
  'voluntary_switches',
  'involuntary_switches',
] as const;

/** `metric_wakeup_p99_us`: name and unit, because a name may have another unit on another workload. */
export function wideColumn({ name, unit }: Pick<Metric, 'name' | 'unit'>): string {
  const plain = unit
    .replaceAll('%', 'percent')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  return `metric_${name}${plain === '' ? '' : `_${plain}`}`;
}

/** A row a trial, sorted by trial, with a column for each metric that any of them has, sorted by name. */
export function wideTrials(records: readonly TrialRecord[]): { header: string[]; rows: CsvCell[][] } {
  const metricsOf = (record: TrialRecord) => (record.state === 'completed' ? record.metrics : []);
  const columns = new Set<string>();
  for (const record of records) for (const metric of metricsOf(record)) columns.add(wideColumn(metric));
  const names = [...columns].sort();
  const rows = records
    .toSorted((a, b) => (a.trial < b.trial ? -1 : a.trial > b.trial ? 1 : 0))
    .map((record) => {
      const values = new Map(metricsOf(record).map((metric) => [wideColumn(metric), metric.value]));
      return [...facts(record), ...names.map((name) => values.get(name))];
    });
  return { header: [...WIDE_COLUMNS, ...names], rows };
}

function facts(record: TrialRecord): CsvCell[] {
  const { run, trial, block, seed, workload, variant, point, policy, role, engine, state, usage } = record;
  const seconds = (ns: number | undefined) => (ns === undefined ? undefined : ns / 1e9);
  return [
    ...[run, trial, block, seed, workload, variant, point, policy, role, engine, state],
    ...[record.state === 'completed' ? undefined : record.reason, record.exitStatus, record.guestSeconds],
    ...[seconds(usage?.elapsedNs), seconds(usage?.userNs), seconds(usage?.systemNs)],
    ...[usage?.voluntarySwitches, usage?.involuntarySwitches],
  ];
}
