// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../../harness/core/fork-point.ts';
import type { Metric } from '../../harness/core/metric.ts';
import type { Seed } from '../../harness/core/seed.ts';
import type { PlannedTrial, TrialRecord, UnmeasuredTrial } from '../../harness/core/trial.ts';
import type { TableInput } from './outcome-types.ts';

/** How one cell of a sample run ended: a value of the primary metric, a failure, or not run yet. */
export type SampleEnd =
  | number
  | { readonly state: UnmeasuredTrial['state']; readonly reason: string }
  | undefined;

export interface SampleWorkload {
  readonly workload: string;
  readonly variant?: string;
  readonly point?: ForkPoint;
  readonly metric?: Omit<Metric, 'value' | 'primary'>;
  /** A value for each block, by policy; the key `aa` is the baseline's null control. */
  readonly ends: Readonly<Record<string, readonly SampleEnd[]>>;
}

const TIME = { name: 'time', unit: 's', direction: 'lower' } as const;

/** A made-up run for tests of tables and figures. */
export function sampleRun(workloads: readonly SampleWorkload[], run = 'sample'): TableInput {
  const planned: PlannedTrial[] = [];
  const records: TrialRecord[] = [];
  for (const { workload, variant = 'default', point = 'quiescent', metric = TIME, ends } of workloads) {
    for (const [key, blocks] of Object.entries(ends)) {
      blocks.forEach((end, block) => {
        const trial = String(planned.length).padStart(4, '0');
        const role = key === 'aa' ? 'aa' : 'measure';
        const policy = key === 'aa' ? 'eevdf' : key;
        const seed = (100 + block) as Seed;
        const facts = { trial, block, seed, workload, variant, point, policy, role } as const;
        planned.push({ ...facts, params: {} });
        if (end === undefined) return;
        const host = { startedAt: '2026-01-02T03:04:05.000Z', seconds: 1, attempt: 1 };
        const common = { v: 1, run, ...facts, engine: 'mock', host } as const;
        records.push(
          typeof end === 'number'
            ? { ...common, state: 'completed', metrics: [{ ...metric, primary: true, value: end }] }
            : { ...common, ...end },
        );
      });
    }
  }
  const policies = [...new Set(workloads.flatMap(({ ends }) => Object.keys(ends)))].filter(
    (key) => key !== 'aa',
  );
  return {
    run,
    planned,
    records,
    spec: {
      name: run,
      policies,
      workloads: workloads.map(({ workload, variant = 'default' }) => ({ workload, variant, params: {} })),
      counterfactual: 'boot',
      points: [...new Set(workloads.map(({ point = 'quiescent' }) => point))],
      baseline: 'eevdf',
      seeds: { base: 1, count: 1 },
      stop: { rule: 'fixed' },
      machine: {
        engine: 'mock',
        vcpus: 4,
        memoryMiB: 1024,
        speed: 250,
        quantum: 5000,
        topology: { nodes: 1, sockets: 1, cores: 4, threads: 1 },
      },
    },
  };
}
