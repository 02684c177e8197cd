// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { looksOf } from './looks.ts';

test('looks grow with the blocks that are there and end at the bound', (t) => {
  const looks = (minBlocks: number, count: number) =>
    looksOf({ stop: { rule: 'width', width: 1.1, minBlocks }, seeds: { base: 1, count } });
  t.deepEqual(looks(5, 40), [5, 8, 12, 18, 27, 40]);
  t.deepEqual(looks(2, 5), [2, 3, 5]);
  t.deepEqual(looks(5, 5), [5]);
});

test('a fixed number of blocks is looked at once, at the end', (t) => {
  t.deepEqual(looksOf({ stop: { rule: 'fixed' }, seeds: { base: 1, count: 7 } }), [7]);
});
