// SPDX-License-Identifier: Apache-2.0
import type { Policy } from '../core/policy.ts';
import { deriveSeed } from '../core/seed.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import type { Workload } from '../core/workload.ts';
import type { RecordSink } from './controller.ts';

/** A small experiment for tests: one workload, the built-in policy and one sched_ext scheduler. */
const words = { summary: 's', suits: 's', weakness: 's', source: 's' };

export const EEVDF: Policy = { id: 'eevdf', definition: { kind: 'builtin', ...words } };
export const SIMPLE: Policy = {
  id: 'scx_simple',
  definition: { kind: 'process', ...words, argv: ['/usr/bin/scx_simple'], ops: 'simple' },
};
export const HACKBENCH: Workload = {
  id: 'hackbench',
  definition: {
    summary: 's',
    class: 'ipc',
    source: 'rt-tests',
    params: { loops: { type: 'int', min: 1, max: 1000, default: 60, about: 's' } },
    seed: 'not used',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the program's, not JavaScript's.
    argv: ['hackbench', '-l', '${loops}'],
    metrics: {
      time: { unit: 's', direction: 'lower', primary: true, pattern: '^Time: ([0-9.]+)$', about: 's' },
    },
    packages: [],
    servers: [],
    kvm: {},
    deadline_s: 20,
    takes_s: { exact: 1, kvm: 1 },
    ends: 'work',
  },
};
export const OUTPUT = 'Running\nTime: 0.136\n';

export const CATALOG = {
  workloads: new Map([[HACKBENCH.id, HACKBENCH]]),
  policies: new Map([EEVDF, SIMPLE].map((policy) => [policy.id, policy])),
};

export const SPEC: Spec = {
  name: 'scene',
  image: 'quick',
  machine: {
    engine: 'mock',
    vcpus: 4,
    memoryMiB: 1024,
    speed: 250,
    quantum: 5000,
    topology: { nodes: 1, sockets: 1, cores: 4, threads: 1 },
  },
  policies: ['eevdf', 'scx_simple'],
  workloads: [{ workload: 'hackbench', variant: 'loops=60', params: { loops: 60 } }],
  counterfactual: 'boot',
  points: ['quiescent'],
  seeds: { base: 7, count: 4 },
  order: 'listed',
  baseline: 'eevdf',
  controls: [],
  stop: { rule: 'fixed' },
};

/** `count` trials that alternate between the two policies. */
export function plannedTrials(count: number): PlannedTrial[] {
  return Array.from({ length: count }, (_, at) => {
    const block = at >> 1;
    return {
      trial: String(at).padStart(4, '0'),
      block,
      seed: deriveSeed(7, block),
      workload: 'hackbench',
      variant: 'loops=60',
      params: { loops: 60 },
      point: 'quiescent',
      policy: at % 2 === 0 ? 'eevdf' : 'scx_simple',
      role: 'measure',
    };
  });
}

/** A log that forgets everything with the process. */
export class MemoryLog implements RecordSink {
  readonly records: TrialRecord[] = [];

  append(record: TrialRecord): void {
    this.records.push(record);
  }
}
