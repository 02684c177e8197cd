// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { histogramOf } from '../../harness/core/histogram.ts';
import type { Metric } from '../../harness/core/metric.ts';
import { mergedPercentile } from './merge-percentiles.ts';

function trial(values: readonly number[]): Metric {
  const histogram = histogramOf(values.map((value) => [value, 1]));
  return { name: 'latency_p99', unit: 'us', direction: 'lower', primary: true, value: 1, histogram };
}

const upTo = (most: number): number[] => Array.from({ length: most }, (_, at) => at + 1);

test('the percentile of merged trials is that of all their values, not a mean of percentiles', (t) => {
  // 900 values of 10 and a short trial of 100 values of 1000: of all of them, the 90th percentile is 10 and the 91st is 1000.
  const trials = [trial(Array(900).fill(10)), trial(Array(100).fill(1000))];
  const near = (p: number) => mergedPercentile(trials, p)?.value ?? 0;
  t.true(Math.abs(near(90) / 10 - 1) <= 1 / 64);
  t.true(Math.abs(near(91) / 1000 - 1) <= 1 / 64);
  t.is(mergedPercentile(trials, 50)?.count, 1000);
  t.is(mergedPercentile(trials, 50)?.trials, 2);
});

test('it is within half a bucket of the value of that rank', (t) => {
  const trials = [trial(upTo(1000)), trial(upTo(500)), trial(upTo(20_000))];
  const all = [...upTo(1000), ...upTo(500), ...upTo(20_000)].sort((a, b) => a - b);
  for (const p of [0.1, 1, 25, 50, 75, 90, 99, 99.9, 100]) {
    const exact = all[Math.max(1, Math.ceil((p / 100) * all.length)) - 1] ?? 0;
    t.true(Math.abs((mergedPercentile(trials, p)?.value ?? 0) / exact - 1) <= 1 / 64, `p${p}`);
  }
});

test('one trial without a distribution leaves no percentile of all', (t) => {
  const { histogram: _, ...bare } = trial([1]);
  t.is(mergedPercentile([trial([1]), bare], 50), undefined);
  t.is(mergedPercentile([], 50), undefined);
  t.is(mergedPercentile([trial([])], 50), undefined);
});

test('different metrics are never merged', (t) => {
  t.throws(() => mergedPercentile([trial([1]), { ...trial([1]), unit: 'ms' }], 50), {
    message: 'latency_p99 in ms is no latency_p99',
  });
});
