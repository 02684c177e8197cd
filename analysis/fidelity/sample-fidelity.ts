// SPDX-License-Identifier: Apache-2.0
import type { EngineName } from '../../harness/core/trial.ts';
import type { SampleEnd } from '../tables/sample-run.ts';
import { sampleRun } from '../tables/sample-run.ts';
import type { EngineRun, FidelitySpec, RanEngine } from './engine-run.ts';

/** Values of each block by policy, by the number of tasks. */
export type SampleSteps = Readonly<Record<number, Readonly<Record<string, readonly SampleEnd[]>>>>;

/** A made-up run of one swept workload on an engine, for tests. */
export function sampleEngine(engine: EngineName, steps: SampleSteps): { spec: FidelitySpec; run: RanEngine } {
  const { spec, planned, records } = sampleRun(
    Object.entries(steps).map(([tasks, ends]) => ({ workload: 'spinners', variant: `tasks=${tasks}`, ends })),
  );
  const workloads = Object.keys(steps).map((tasks) => ({
    ...{ workload: 'spinners', variant: `tasks=${tasks}`, params: { tasks: Number(tasks), units: 8 } },
  }));
  const own = records.map((record) => ({
    ...record,
    engine,
    host: { ...record.host, seconds: 2 + record.block },
  }));
  return {
    spec: { ...spec, workloads },
    run: { engine, status: 'ran', policies: spec.policies, planned, records: own },
  };
}

/** Two engines with the same order of everything, one that runs the built-in policy only, and one that does not work. */
export function sampleFidelity(): { spec: FidelitySpec; runs: EngineRun[] } {
  const exact = sampleEngine('exact', {
    1: { eevdf: [1, 1.25], scx_simple: [2, 2.5], scx_central: [4, 5] },
    2: { eevdf: [3, 3.75], scx_simple: [9, 11.25], scx_central: [15, 18.75] },
  });
  const tcg = sampleEngine('tcg', {
    1: { eevdf: [10, 10], scx_simple: [11, 12], scx_central: [13, 14] },
    2: { eevdf: [10, 10], scx_simple: [12.5, 13.5], scx_central: [16, 17] },
  });
  const native = sampleEngine('native', { 1: { eevdf: [0.5, 0.5] }, 2: { eevdf: [1, 1] } });
  return {
    spec: exact.spec,
    runs: [exact.run, tcg.run, { engine: 'kvm', status: 'absent', why: 'there is no /dev/kvm' }, native.run],
  };
}
