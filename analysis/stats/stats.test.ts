// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { median } from './median.ts';
import { noiseFloor } from './noise-floor.ts';
import { type PairedRatio, pairedRatio } from './paired-ratio.ts';
// Made by reference.py with SciPy; its header has the command.
import reference from './reference.json' with { type: 'json' };
import { verdict } from './verdict.ts';

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
  for (const bad of [0, -1, Number.NaN]) {
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

function between(low: number, high: number, within = { low, high }): PairedRatio {
  const ratio = Math.sqrt(low * high);
  return {
    kind: 'interval',
    pairs: 5,
    method: 'paired-t',
    hosts: 1,
    ratio,
    low,
    high,
    within,
    p: 0.5,
    zeroWidth: low === high,
  };
}

test('only an interval wholly outside the noise floor is a claim, and the direction says which way', (t) => {
  const judge = (ratio: PairedRatio, floor: number | undefined, direction: 'lower' | 'higher' = 'lower') =>
    verdict(ratio, { direction, margin: 1.02, floor });
  t.is(judge(between(0.5, 0.9), 1.1), 'better');
  t.is(judge(between(0.5, 0.9), 1.1, 'higher'), 'worse');
  t.is(judge(between(1.11, 1.2), 1.1), 'worse');
  t.is(judge(between(1.11, 1.2), 1.1, 'higher'), 'better');
  t.is(judge(between(0.9, 1.2), 1.01), 'undecided');
  t.is(judge(between(0.5, 0.9), 1.2), 'undecided', 'it excludes 1, but not the floor');
  t.is(judge(between(1.05, 1.2), 1.1), 'undecided');
  t.is(judge(between(0.5, 0.97), undefined), 'better');
  t.is(judge(between(0.5, 0.99), undefined), 'undecided', 'without a floor the margin takes its place');
  t.is(judge({ kind: 'point', pairs: 1, ratio: 0.5 }, 1.1), undefined);
});

test('a difference within the margin is equivalent, however sure it is', (t) => {
  const judge = (ratio: PairedRatio) => verdict(ratio, { direction: 'lower', margin: 1.02, floor: 1.0001 });
  t.is(judge(between(0.997, 0.999)), 'equivalent');
  t.is(judge(between(1, 1)), 'equivalent');
  t.is(judge(between(0.97, 1.01, { low: 0.982, high: 1.005 })), 'equivalent', 'its 90 % core decides');
  t.is(judge(between(0.97, 1.01)), 'undecided');
  t.is(judge(between(1.03, 1.04)), 'worse');
});

test("the noise floor is the end of the control's interval that is farther from 1", (t) => {
  t.is(noiseFloor(between(0.99, 1.05)), 1.05);
  t.is(noiseFloor(between(0.8, 1.05)), 1.25);
  t.is(noiseFloor({ kind: 'point', pairs: 1, ratio: 0.5 }), undefined);
  t.is(noiseFloor(undefined), undefined);
});

test('the median of no values is missing, and that of large values does not overflow', (t) => {
  t.is(median([]), undefined);
  t.is(median([3]), 3);
  t.is(median([1e308, 1.5e308]), 1.25e308);
});
