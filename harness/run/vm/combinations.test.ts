// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type Combination, covering } from './combinations.ts';

const names = (count: number, prefix: string) => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
const all: Combination[] = names(7, 'p').flatMap((policy) =>
  names(12, 'w').flatMap((workload) =>
    (['quiescent', 'warm'] as const).map((point) => ({ policy, workload, point })),
  ),
);

for (const seed of [1, 2, 3]) {
  test(`a draw with seed ${seed} names every policy, workload and point, and not many twice`, (t) => {
    const drawn = covering(all, seed);
    t.is(new Set(drawn.map(({ policy }) => policy)).size, 7);
    t.is(new Set(drawn.map(({ workload }) => workload)).size, 12);
    t.is(new Set(drawn.map(({ point }) => point)).size, 2);
    t.true(drawn.length <= 14, String(drawn.length));
  });
}

test('the same seed draws the same, another seed draws others', (t) => {
  t.deepEqual(covering(all, 5), covering(all, 5));
  t.notDeepEqual(covering(all, 5), covering(all, 6));
});
