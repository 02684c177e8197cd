// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { logTicks, ratioDomain } from './ratio-axis.ts';

test('the axis shows 1 and every value, and is never narrower than 0.8 to 1.25', (t) => {
  t.deepEqual(ratioDomain([]), [0.8, 1.25]);
  t.deepEqual(ratioDomain([0.99, undefined, 1.01]), [0.8, 1.25]);
  const [low, high] = ratioDomain([4, 20]);
  t.true(low <= 0.8 && high > 20);
  const [least] = ratioDomain([0.01]);
  t.true(least < 0.01);
});

test('labels are round numbers with 1 among them, never so many that they collide', (t) => {
  t.deepEqual(logTicks([0.8, 1.25]), [0.8, 0.85, 0.9, 0.95, 1, 1.1, 1.2]);
  t.deepEqual(logTicks([0.15, 30]), [0.2, 0.5, 1, 2, 5, 10, 20]);
  for (const domain of [
    [0.5, 2],
    [1e-3, 1e3],
    [1e-9, 1e15],
    [0.8, 9],
  ] as const) {
    const ticks = logTicks(domain);
    t.true(ticks.includes(1) && ticks.length <= 9 && ticks.length >= 3, ticks.join(' '));
    t.true(ticks.every((tick) => tick >= domain[0] && tick <= domain[1]));
  }
});
