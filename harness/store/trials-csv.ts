// SPDX-License-Identifier: Apache-2.0
import { type CsvCell, csvLines, formatCsv } from '../core/csv.ts';
import type { Metric } from '../core/metric.ts';
import type { TrialRecord, Usage } from '../core/trial.ts';
import { writeAtomic } from './atomic-write.ts';

/** Columns of `trials.csv` in order; `results/README.md` describes each. */
export const TRIAL_COLUMNS = [
  'run',
  'trial',
  'block',
  'seed',
  'workload',
  'variant',
  'point',
  'policy',
  'engine',
  'state',
  'reason',
  'metric',
  'unit',
  'direction',
  'value',
  'role',
  'primary',
  'exit_status',
  'guest_seconds',
  'output_bytes',
  'sched_state_before',
  'sched_ops_before',
  'sched_state_after',
  'sched_ops_after',
  'scheduler_exit_kind',
  'scheduler_exit_reason',
  'transcript',
  'elapsed_seconds',
  'user_seconds',
  'system_seconds',
  'voluntary_switches',
  'involuntary_switches',
] as const;
export type TrialColumn = (typeof TRIAL_COLUMNS)[number];
export type TrialRow = Readonly<Record<TrialColumn, CsvCell>>;

/**
 * Long form: a row for each metric of a completed trial, one row for a trial without any. Sorted by trial, then
 * metric, so that the order in which trials ended does not show; nothing in it depends on the host's clock.
 */
export function trialRows(records: readonly TrialRecord[]): TrialRow[] {
  return [...records].sort((a, b) => compare(a.trial, b.trial)).flatMap(rowsOf);
}

/** Text of `trials.csv`. */
export function formatTrialsCsv(records: readonly TrialRecord[]): string {
  return csvHeader() + csvLines(trialRows(records).map(cellsOf));
}

/** Its first line. */
export function csvHeader(): string {
  return formatCsv(TRIAL_COLUMNS, []);
}

/** The lines of one record. */
export function csvOf(record: TrialRecord): string {
  return csvLines(rowsOf(record).map(cellsOf));
}

/** Derives `trials.csv` at `path` from the records. */
export async function writeTrialsCsv(path: string, records: readonly TrialRecord[]): Promise<void> {
  await writeAtomic(path, formatTrialsCsv(records));
}

function rowsOf(record: TrialRecord): TrialRow[] {
  if (record.state !== 'completed' || record.metrics.length === 0) return [row(record, undefined)];
  return [...record.metrics].sort((a, b) => compare(a.name, b.name)).map((metric) => row(record, metric));
}

function row(record: TrialRecord, metric: Metric | undefined): TrialRow {
  const unmeasured = record.state === 'completed' ? undefined : record;
  return {
    run: record.run,
    trial: record.trial,
    block: record.block,
    seed: record.seed,
    workload: record.workload,
    variant: record.variant,
    point: record.point,
    policy: record.policy,
    engine: record.engine,
    state: record.state,
    reason: unmeasured?.reason,
    metric: metric?.name,
    unit: metric?.unit,
    direction: metric?.direction,
    value: metric?.value,
    role: record.role,
    primary: metric?.primary,
    exit_status: record.exitStatus,
    guest_seconds: record.guestSeconds,
    output_bytes: record.outputBytes,
    sched_state_before: record.schedBefore?.state,
    sched_ops_before: record.schedBefore?.ops,
    sched_state_after: record.schedAfter?.state,
    sched_ops_after: record.schedAfter?.ops,
    scheduler_exit_kind: unmeasured?.schedulerExit?.kind,
    scheduler_exit_reason: unmeasured?.schedulerExit?.reason,
    transcript: record.transcript,
    ...usageCells(record.usage),
  };
}

function cellsOf(row: TrialRow): CsvCell[] {
  return TRIAL_COLUMNS.map((column) => row[column]);
}

function usageCells(usage: Usage | undefined) {
  const seconds = (ns: number | undefined) => (ns === undefined ? undefined : ns / 1e9);
  return {
    elapsed_seconds: seconds(usage?.elapsedNs),
    user_seconds: seconds(usage?.userNs),
    system_seconds: seconds(usage?.systemNs),
    voluntary_switches: usage?.voluntarySwitches,
    involuntary_switches: usage?.involuntarySwitches,
  };
}

// Not localeCompare: the order must not depend on the machine's language.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
