// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { bootstrapInterval } from './bootstrap.ts';
import { kendallTauB } from './kendall.ts';
// Made by kendall-reference.py with SciPy; its header has the command.
import reference from './kendall-reference.json' with { type: 'json' };

for (const { title, x, y, tau } of reference.cases) {
  test(`Kendall's tau-b is SciPy's: ${title}`, (t) => {
    const own = kendallTauB(x, y);
    t.true(own !== undefined && Math.abs(own - tau) < 1e-12, `${own}, SciPy: ${tau}`);
  });
}

test('values without an order have no tau, and what is no number is refused', (t) => {
  t.is(kendallTauB([], []), undefined);
  t.is(kendallTauB([1], [1]), undefined);
  t.is(kendallTauB([1, 1, 1], [1, 2, 3]), undefined);
  t.throws(() => kendallTauB([1, Number.NaN], [1, 2]), { instanceOf: RangeError });
  t.throws(() => kendallTauB([1], [1, 2]), { instanceOf: RangeError });
});

test('a swap of the lists changes nothing, and a reversed list changes the sign', (t) => {
  const [x, y] = [
    [3, 1, 4, 1, 5, 9, 2],
    [2, 7, 1, 8, 2, 8, 1],
  ];
  const tau = kendallTauB(x, y) as number;
  t.is(kendallTauB(y, x), tau);
  t.is(
    kendallTauB(
      x,
      y.map((value) => -value),
    ),
    -tau,
  );
});

test('a bootstrap draws the same blocks for the same seed and others for another', (t) => {
  const mean = (drawn: readonly number[]) => drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const blocks = [1, 2, 4, 8, 16];
  const one = bootstrapInterval(blocks, mean, 1);
  t.deepEqual(bootstrapInterval(blocks, mean, 1), one);
  t.notDeepEqual(bootstrapInterval(blocks, mean, 2), one);
  t.true(one !== undefined && one.low < 6.2 && one.high > 6.2 && one.low >= 1 && one.high <= 16);
  t.is(one?.usable, 2000);
});

test('the interval of a mean over many blocks is that of the normal distribution', (t) => {
  // 100 blocks of 0 and 1: the mean is 0.5 with standard error 0.05.
  const blocks = Array.from({ length: 100 }, (_, at) => at % 2);
  const mean = (drawn: readonly number[]) => drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const { low, high } = bootstrapInterval(blocks, mean, 7) ?? { low: 0, high: 0 };
  t.true(Math.abs(low - 0.402) < 0.015 && Math.abs(high - 0.598) < 0.015, `${low} to ${high}`);
});

test('one block, or a statistic that mostly has no value, gives no interval', (t) => {
  t.is(
    bootstrapInterval([1], () => 1, 1),
    undefined,
  );
  t.is(
    bootstrapInterval([1, 2], () => undefined, 1),
    undefined,
  );
  let calls = 0;
  const mostly = bootstrapInterval([1, 2], () => (calls++ % 20 === 0 ? undefined : 3), 1);
  t.deepEqual(mostly, { low: 3, high: 3, resamples: 2000, usable: 1900 });
});
