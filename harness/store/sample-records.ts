// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../core/spec.ts';
import type { CompletedTrial, PlannedTrial, TrialRecord, UnmeasuredTrial } from '../core/trial.ts';
import type { RunDescription } from './run-folder.ts';

/** A completed trial for tests; `over` replaces what matters to the test. */
export function sampleCompleted(over: Partial<CompletedTrial> = {}): CompletedTrial {
  return {
    v: 1,
    run: 'sample',
    trial: '0000',
    block: 0,
    seed: 7,
    workload: 'hackbench',
    variant: 'default',
    point: 'quiescent',
    policy: 'eevdf',
    role: 'measure',
    engine: 'mock',
    exitStatus: 0,
    output: 'Time: 0.25\n',
    outputBytes: 11,
    transcript: 'ab',
    guestSeconds: 3.5,
    host: { startedAt: '2026-01-02T03:04:05.000Z', seconds: 1.25, attempt: 1 },
    state: 'completed',
    metrics: [{ name: 'time', unit: 's', direction: 'lower', primary: true, value: 0.25 }],
    ...over,
  };
}

/** A refused trial for tests. */
export function sampleUnmeasured(over: Partial<UnmeasuredTrial> = {}): UnmeasuredTrial {
  const { metrics: _, output: __, outputBytes: ___, exitStatus: ____, ...facts } = sampleCompleted();
  return {
    ...facts,
    trial: '0001',
    policy: 'scx_qmap',
    state: 'refused',
    reason: 'the verifier refused the program',
    ...over,
  };
}

/** Lines of a log as they were before they were sealed: tests change their numbers. */
export function unsealed(lines: string): string {
  return lines.replaceAll(/,"crc32":"[0-9a-f]{8}"\}$/gm, '}');
}

/** What describes the run that `records` belong to. */
export function sampleDescription(records: readonly TrialRecord[], run = 'sample'): RunDescription {
  const trials = records.map(
    ({ trial, block, seed, workload, variant, point, policy, role }) =>
      ({ trial, block, seed, workload, variant, params: {}, point, policy, role }) as PlannedTrial,
  );
  const spec: Spec = {
    name: 'sample',
    image: 'quick',
    machine: {
      engine: 'mock',
      vcpus: 2,
      memoryMiB: 512,
      speed: 250,
      quantum: 5000,
      topology: { nodes: 1, sockets: 1, cores: 2, threads: 1 },
    },
    policies: [...new Set(records.map((record) => record.policy))],
    workloads: [{ workload: 'hackbench', variant: 'default', params: {} }],
    counterfactual: 'boot',
    points: ['quiescent'],
    seeds: { base: 7, count: 2 },
    order: 'listed',
    baseline: 'eevdf',
    controls: [],
    stop: { rule: 'fixed' },
  };
  return {
    spec,
    plan: { trials },
    provenance: {
      v: 1,
      run,
      createdAt: '2026-01-02T03:04:05.000Z',
      pmvx: { version: '0.1.0' },
      host: { cores: 2, memoryMiB: 4096, kernel: '7.3', node: 'v24.21.0' },
      engine: 'mock',
      image: {},
      seeds: spec.seeds,
    },
  };
}
