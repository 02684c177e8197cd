// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { shareWork } from './shared-work.ts';
import type { Operation } from './trace.ts';

const DURATION_NS = 10_000;

/** A child of task 0 that waits for its work and computes it to its end. */
function worker(ns: number, endNs: number, ...more: readonly (readonly [Operation, number])[]) {
  const done = [[{ do: 'wait', task: 0 }, 10], [{ do: 'run', ns }, endNs], ...more] as const;
  return {
    parent: 0,
    operations: done.map(([operation]): Operation => operation),
    endsNs: done.map(([, at]) => at),
  };
}
const PARENT = { operations: [], endsNs: [] };

const shared = (
  workers: readonly ReturnType<typeof worker>[],
  more: readonly ReturnType<typeof worker>[] = [],
) =>
  shareWork([PARENT, ...workers, ...more], DURATION_NS).map(({ operations }) =>
    operations.flatMap((each, at) => (each.do === 'share' ? [[each.work, operations[at + 1]]] : [])).flat(),
  );

test('who ends together after unequal computing has shared the work', (t) => {
  t.deepEqual(shared([worker(2000, 9000), worker(4000, 9150), worker(2100, 9200)]), [
    [],
    [0, { do: 'run', ns: 2000 }],
    [0, { do: 'run', ns: 4000 }],
    [0, { do: 'run', ns: 2100 }],
  ]);
});

test('who computed as much as the others had work of its own', (t) => {
  t.deepEqual(shared([worker(4000, 9000), worker(4100, 9100)]).flat(), []);
});

test('who ends later, is another’s child, computed little or waited after it is none of those who share', (t) => {
  const later = worker(3000, 9900);
  const other = { ...worker(3000, 9050), parent: 1 };
  const little = worker(400, 9050);
  const waited = worker(3000, 9050, [{ do: 'sleep', ns: 10 }, 9060]);
  t.deepEqual(shared([worker(2000, 9000), worker(4000, 9100)], [later, other, little, waited]), [
    [],
    [0, { do: 'run', ns: 2000 }],
    [0, { do: 'run', ns: 4000 }],
    ...[[], [], [], []],
  ]);
});

test('what a task says before its end is not work, and two works have two numbers', (t) => {
  const told = worker(2000, 5000, [{ do: 'wake', task: 0 }, 5010], [{ do: 'run', ns: 30 }, 5040]);
  const [, first, second, third, fourth] = shared([
    told,
    worker(4000, 5100),
    worker(2000, 9000),
    worker(4000, 9000),
  ]);
  t.deepEqual(first, [0, { do: 'run', ns: 2000 }]);
  t.deepEqual(second, [0, { do: 'run', ns: 4000 }]);
  t.deepEqual(third, [1, { do: 'run', ns: 2000 }]);
  t.deepEqual(fourth, [1, { do: 'run', ns: 4000 }]);
});
