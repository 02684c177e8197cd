// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { median } from './median.ts';
import { logRatios, pairedRatio } from './paired-ratio.ts';
// Made by reference.py with SciPy; its header has the command.
import reference from './reference.json' with { type: 'json' };

function closeTo(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-9 * Math.abs(expected);
}

for (const { title, value, baseline, ...expected } of reference.cases) {
  test(`ratio, interval and median are SciPy's: ${title}`, (t) => {
    const ratio = pairedRatio(value.map((v, at) => ({ value: v, baseline: baseline[at] as number })));
    if (ratio.kind !== 'interval') return t.fail(`got ${ratio.kind}`);
    t.is(ratio.pairs, value.length);
    for (const key of ['ratio', 'low', 'high'] as const) {
      t.true(closeTo(ratio[key], expected[key]), `${key}: ${ratio[key]}, SciPy: ${expected[key]}`);
    }
    t.is(median(value), expected.median);
  });
}

test('no pairs give no ratio, one pair a ratio without an interval', (t) => {
  t.deepEqual(pairedRatio([]), { kind: 'none', pairs: 0, why: 'no-pairs' });
  t.deepEqual(pairedRatio([{ value: 1, baseline: 4 }]), { kind: 'point', pairs: 1, ratio: 0.25 });
});

test('pairs that all have the same ratio give an interval without width that says so', (t) => {
  const pairs = [
    { value: 1, baseline: 2 },
    { value: 2, baseline: 4 },
  ];
  t.deepEqual(pairedRatio(pairs), {
    kind: 'interval',
    pairs: 2,
    method: 'paired-t',
    hosts: 1,
    ratio: 0.5,
    low: 0.5,
    high: 0.5,
    within: { low: 0.5, high: 0.5 },
    zeroWidth: true,
  });
});

test('a value that is not positive gives no ratio instead of a wrong one', (t) => {
  for (const bad of [0, -0, -1]) {
    const good = { value: 1, baseline: 2 };
    t.deepEqual(pairedRatio([good, { value: bad, baseline: 2 }]), {
      kind: 'none',
      pairs: 2,
      why: 'not-positive',
    });
    t.deepEqual(pairedRatio([good, { value: 1, baseline: bad }]), {
      kind: 'none',
      pairs: 2,
      why: 'not-positive',
    });
  }
});

test('values that are far apart have a ratio as long as it is a number, and infinite ones are refused as such', (t) => {
  const far = (logs: readonly number[]) =>
    logs.map((power) => ({ value: 10 ** power, baseline: 10 ** -power }));
  t.true(closeTo((logRatios(far([200])) as number[])[0] as number, 400 * Math.LN10));
  t.true(
    closeTo(
      (logRatios([{ value: 5e-324, baseline: 1e308 }]) as number[])[0] as number,
      Math.log(5e-324) - Math.log(1e308),
    ),
  );
  const mixed = pairedRatio(far([200, -200]));
  t.is(mixed.kind === 'interval' && mixed.ratio, 1);
  t.deepEqual(pairedRatio(far([200, 190])), { kind: 'none', pairs: 2, why: 'out-of-range' });
  t.deepEqual(pairedRatio(far([-200])), { kind: 'none', pairs: 1, why: 'out-of-range' });
  for (const value of [Number.POSITIVE_INFINITY, Number.NaN]) {
    t.deepEqual(pairedRatio([{ value, baseline: 1 }]), { kind: 'none', pairs: 1, why: 'not-finite' });
    t.deepEqual(pairedRatio([{ value: 1, baseline: value }]), { kind: 'none', pairs: 1, why: 'not-finite' });
  }
});

test('swapping policy and baseline inverts ratio and interval', (t) => {
  const pairs = [
    { value: 1, baseline: 2 },
    { value: 3, baseline: 4 },
    { value: 5, baseline: 4.5 },
  ];
  const one = pairedRatio(pairs);
  const other = pairedRatio(pairs.map(({ value, baseline }) => ({ value: baseline, baseline: value })));
  if (one.kind !== 'interval' || other.kind !== 'interval') return t.fail();
  t.true(closeTo(one.ratio, 1 / other.ratio));
  t.true(closeTo(one.low, 1 / other.high));
  t.true(closeTo(one.high, 1 / other.low));
});

test('the median of no values is missing, and that of large values does not overflow', (t) => {
  t.is(median([]), undefined);
  t.is(median([3]), 3);
  t.is(median([1e308, 1.5e308]), 1.25e308);
});
