// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { PolicySchema } from '../core/policy.ts';
import { requireBuilt } from './left-out.ts';

const words = { summary: 'a', suits: 'a', weakness: 'a', source: 'a' };
const pinned = { kind: 'process', ...words, crate: 'scx_x@1.0.0', argv: ['/x'], ops: 'x' };
const policies = new Map(
  [
    ['eevdf', { kind: 'builtin', ...words }],
    ['mine', { kind: 'struct_ops', ...words, ops: 'mine' }],
    ['scx_x-fast', pinned],
  ].map(([id, definition]) => [
    id as string,
    { id: id as string, definition: PolicySchema.parse(definition) },
  ]),
);
const manifest = {
  recipe: 'quick',
  left: {
    'bpf/policies/mine': 'bpf/policies/mine/mine.bpf.c:3:1: error: unknown type name',
    'workloads/flood': 'workloads/flood/flood.c:1:1: error: expected a declaration',
    scx_x: 'error: no such crate\nsecond line',
  },
};

test('an image runs what it was built with, whatever else was left out', (t) => {
  t.notThrows(() => requireBuilt(manifest, { policies: ['eevdf'], workloads: ['hackbench'] }, { policies }));
  t.notThrows(() => requireBuilt({ recipe: 'old' }, { policies: ['mine'], workloads: [] }, { policies }));
});

test("what it was built without is refused with the compiler's words, each once", (t) => {
  const wanted = { policies: ['eevdf', 'mine', 'mine', 'scx_x-fast'], workloads: ['flood', 'flood'] };
  const error = t.throws(() => requireBuilt(manifest, wanted, { policies }));
  const next = 'Correct it and run `./pmvx image build quick`, or leave it out';
  t.deepEqual(error?.message.split('\n'), [
    `image quick was built without policy mine: bpf/policies/mine/mine.bpf.c:3:1: error: unknown type name. ${next}`,
    `image quick was built without policy scx_x-fast: error: no such crate. ${next}`,
    `image quick was built without workload flood: workloads/flood/flood.c:1:1: error: expected a declaration. ${next}`,
  ]);
});
