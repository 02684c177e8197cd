// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { shareSpread } from './shares.ts';

test('equal times have no spread', (t) => {
  t.is(shareSpread({ alone: [5, 5], together: [5, 5], unpinned: 5 }), 0);
});

test('the spread is over all times, relative to the fastest, wherever the odd one is', (t) => {
  const close = (a: number) => Math.abs(a - 0.01) < 1e-12;
  t.true(close(shareSpread({ alone: [101, 100], together: [100, 100], unpinned: 100 })));
  t.true(close(shareSpread({ alone: [100, 100], together: [100, 101], unpinned: 100 })));
  t.true(close(shareSpread({ alone: [100, 100], together: [100, 100], unpinned: 101 })));
});
