// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import type { Metric } from '../../harness/core/metric.ts';
import { didYouMean } from '../../harness/core/nearest.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';

/** The metric that a workload's rows show. */
export type MetricChoice = Pick<Metric, 'name' | 'unit' | 'direction'>;

/**
 * The metric called `name`, or the primary one, among the records of one workload. Undefined when no completed
 * trial has it. Throws when records disagree about its unit or direction: their values cannot be compared.
 */
export function pickMetric(
  records: readonly TrialRecord[],
  name: string | undefined,
): MetricChoice | undefined {
  const all = metricsOf(records);
  const fitting = all.filter((metric) => (name === undefined ? metric.primary : metric.name === name));
  const first = fitting.toSorted((a, b) => (a.name < b.name ? -1 : 1))[0];
  if (first === undefined) return undefined;
  for (const other of fitting) {
    if (other.name !== first.name) continue;
    if (other.unit === first.unit && other.direction === first.direction) continue;
    throw new PmvxError(ExitCode.failure, {
      where: `${records[0]?.run}: ${records[0]?.workload}`,
      what: `metric ${first.name} is recorded in ${first.unit} (${first.direction} is better) and in ${other.unit} (${other.direction} is better)`,
      next: 'The workload changed while the run was under way; start a new run',
    });
  }
  return { name: first.name, unit: first.unit, direction: first.direction };
}

/** Refuses a metric name that no record has, with the names there are. */
export function requireMetric(records: readonly TrialRecord[], name: string): void {
  const names = [...new Set(metricsOf(records).map((metric) => metric.name))].sort();
  if (names.includes(name)) return;
  throw new PmvxError(ExitCode.usage, {
    where: '--metric',
    what: `no completed trial has a metric ${name}`,
    next: didYouMean(name, names),
  });
}

/** Value of the metric in a record; undefined for a trial that did not complete. */
export function metricValue(record: TrialRecord, name: string): number | undefined {
  return record.state === 'completed'
    ? record.metrics.find((metric) => metric.name === name)?.value
    : undefined;
}

function metricsOf(records: readonly TrialRecord[]): readonly Metric[] {
  return records.flatMap((record) => (record.state === 'completed' ? record.metrics : []));
}
