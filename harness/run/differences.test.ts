// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { differences, formatDifference } from './differences.ts';
import { SPEC } from './scene.ts';

test('equal values have no differences', (t) => {
  t.deepEqual(differences(SPEC, structuredClone(SPEC)), []);
});

test('each difference is named by its path, with both values', (t) => {
  const other = { ...SPEC, machine: { ...SPEC.machine, vcpus: 2 }, policies: ['eevdf'], extra: 1 };
  t.deepEqual(differences(SPEC, other).map(formatDifference), [
    'machine.vcpus was 4, is 2',
    'policies[1] was "scx_simple", is absent',
    'extra was absent, is 1',
  ]);
});

test('a list and an object, or a leaf and a tree, differ as a whole', (t) => {
  t.deepEqual(
    differences({ a: [] }, { a: {} }).map(({ path }) => path),
    ['a'],
  );
  t.deepEqual(differences({ a: 1 }, { a: { b: 1 } }).map(formatDifference), ['a was 1, is {"b":1}']);
});
