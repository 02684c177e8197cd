// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../../harness/core/spec.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { sweepsOf } from '../fidelity/sweeps.ts';
import { median } from '../stats/median.ts';
import { metricValue, pickMetric } from './pick-metric.ts';

/** One policy at one step of a sweep. */
export interface ScalingRow {
  readonly workload: string;
  /** What the steps have in common; empty when nothing else needs to be said. */
  readonly variant: string;
  readonly point: string;
  readonly engine: string;
  readonly policy: string;
  /** The parameter that is varied, or `vCPUs`. */
  readonly sweep: string;
  readonly step: number;
  readonly metric: string;
  readonly unit: string;
  readonly direction: string;
  /** Over blocks, of the workload's primary metric. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Blocks in which the policy completed the workload. */
  readonly n: number;
}

export interface ScalingRun {
  readonly spec: Pick<Spec, 'workloads' | 'machine'>;
  readonly records: readonly TrialRecord[];
}

/**
 * How each policy's primary metric follows the one number that a run varies for a workload, or the number of vCPUs
 * where runs differ in that. A step at which a policy completed no trial has no row. A/A trials are left out.
 */
export function scalingRows(runs: readonly ScalingRun[]): ScalingRow[] {
  return [...runs.flatMap(parameterRows), ...vcpuRows(runs)];
}

function parameterRows({ spec, records }: ScalingRun): ScalingRow[] {
  return sweepsOf(spec.workloads).flatMap(({ workload, parameter, steps }) =>
    steps.flatMap(({ value, variant }) => {
      const own = records.filter((record) => record.workload === workload && record.variant === variant);
      return rowsAt(own, {
        variant: commonPart(steps.map((step) => step.variant)),
        sweep: parameter,
        step: value,
      });
    }),
  );
}

function vcpuRows(runs: readonly ScalingRun[]): ScalingRow[] {
  const counts = [...new Set(runs.map(({ spec }) => spec.machine.vcpus))].sort((a, b) => a - b);
  if (counts.length < 2) return [];
  const uses = new Map(
    runs.flatMap(({ spec }) => spec.workloads.map((use) => [`${use.workload} ${use.variant}`, use] as const)),
  );
  return [...uses.values()].flatMap(({ workload, variant }) =>
    counts.flatMap((step) => {
      const own = runs
        .filter(({ spec }) => spec.machine.vcpus === step)
        .flatMap(({ records }) => records)
        .filter((record) => record.workload === workload && record.variant === variant);
      return rowsAt(own, { variant, sweep: 'vCPUs', step });
    }),
  );
}

function rowsAt(
  records: readonly TrialRecord[],
  at: Pick<ScalingRow, 'variant' | 'sweep' | 'step'>,
): ScalingRow[] {
  const groups = new Map<string, TrialRecord[]>();
  for (const record of records) {
    if (record.role !== 'measure') continue;
    const key = JSON.stringify([record.engine, record.point, record.policy]);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return [...groups.values()].flatMap((own): ScalingRow[] => {
    const [first] = own;
    const metric = pickMetric(own, undefined);
    if (first === undefined || metric === undefined) return [];
    const values = own.flatMap((record) => metricValue(record, metric.name) ?? []);
    const middle = median(values);
    if (middle === undefined) return [];
    return [
      {
        ...{ workload: first.workload, point: `${first.point}`, engine: first.engine, policy: first.policy },
        ...at,
        ...{ metric: metric.name, unit: metric.unit, direction: metric.direction },
        median: middle,
        least: values.reduce((a, b) => Math.min(a, b)),
        most: values.reduce((a, b) => Math.max(a, b)),
        n: values.length,
      },
    ];
  });
}

/** `units=64` of `tasks=1,units=64` and `tasks=2,units=64`. */
function commonPart(variants: readonly string[]): string {
  const parts = variants.map((variant) => variant.split(','));
  return (parts[0] ?? []).filter((part) => parts.every((others) => others.includes(part))).join(',');
}
