// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { PolicySchema } from '../core/policy.ts';
import { WorkloadSchema } from '../core/workload.ts';

const policies = ['eevdf', 'scx_central', 'scx_flatcg', 'scx_simple', 'scx_simple-fifo'];

const hackbench = {
  transport: { type: 'choice', values: ['pipe', 'socket'], default: 'pipe', about: 'How messages travel.' },
  groups: { type: 'int', min: 1, max: 16, default: 2, about: 'Groups of 20 senders and 20 receivers.' },
  loops: { type: 'int', min: 1, max: 10000, default: 60, about: 'Messages of each sender to each receiver.' },
};
const pipe = {
  loops: { type: 'int', min: 100, max: 1000000, default: 2000, about: 'Round trips.' },
};

/** A small catalog for tests of specs: what the folders might hold, without reading them. */
export const sampleCatalog: Catalog = {
  policies: new Map(policies.map((id) => [id, { id, definition: policy(id) }])),
  workloads: new Map([
    ['boot', { id: 'boot', definition: workload({}) }],
    ['hackbench', { id: 'hackbench', definition: workload(hackbench) }],
    ['perf-sched-pipe', { id: 'perf-sched-pipe', definition: workload(pipe) }],
  ]),
  recipes: ['full', 'quick'],
};

function policy(id: string) {
  const text = { summary: id, suits: 'tests', weakness: 'none', source: 'here' };
  return PolicySchema.parse(
    id === 'eevdf'
      ? { kind: 'builtin', ...text }
      : { kind: 'process', ...text, argv: [`/bin/${id}`], ops: id.replace('scx_', '') },
  );
}

function workload(params: unknown) {
  return WorkloadSchema.parse({
    summary: 'A workload of the tests',
    class: 'ipc',
    source: 'driver',
    params,
    seed: 'unused',
    argv: ['true'],
    metrics: {
      time: { unit: 's', direction: 'lower', primary: true, pattern: 'time (.+)', about: 'Time.' },
    },
    deadline_s: 10,
    takes_s: { exact: 0.5, kvm: 0.1 },
  });
}
