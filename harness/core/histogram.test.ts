// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { boundsOf, bucketOf, countOf, histogramOf, mergeHistograms, percentileOf } from './histogram.ts';

test('buckets are where the definition says', (t) => {
  // In thousandths: 0, 63, 64 (first doubling, width 2), 65, 66, 127, 128 (width 4).
  t.deepEqual([0, 0.063, 0.064, 0.065, 0.066, 0.127, 0.128].map(bucketOf), [0, 63, 64, 64, 65, 95, 96]);
});

test('every value lies in its bucket, which is at most 1/32 wide, and buckets follow each other', (t) => {
  for (let at = 0; at < 2000; at++) {
    const value = Math.round(1.013 ** at) / 1000;
    const [from, to] = boundsOf(bucketOf(value));
    t.true(value >= from - 1e-12 && value < to, `${value} in ${from} to ${to}`);
    if (value >= 0.064) t.true((to - from) / from <= 1 / 32 + 1e-12);
    t.is(bucketOf(to + 1e-9 * to), bucketOf(value) + 1);
  }
});

test('percentiles of merged histograms are those of all values, within a bucket', (t) => {
  const one = Array.from({ length: 500 }, (_, at) => [1 + at, 1] as const);
  const two = Array.from({ length: 500 }, (_, at) => [501 + at, 1] as const);
  const merged = mergeHistograms([histogramOf(one), histogramOf(two)]);
  t.is(countOf(merged), 1000);
  for (const p of [1, 50, 90, 99, 99.9, 100]) {
    const exact = Math.ceil(p * 10);
    t.true(Math.abs((percentileOf(merged, p) ?? 0) / exact - 1) <= 1 / 32, `p${p}`);
  }
  t.deepEqual(merged, histogramOf([...one, ...two]));
});

test('nothing has no percentile, and counts of 0 are no bucket', (t) => {
  t.is(percentileOf(histogramOf([]), 50), undefined);
  t.deepEqual(histogramOf([[5, 0]]).buckets, []);
});

test('a percentile among values that are not known is undefined, also when merged', (t) => {
  const known = histogramOf([[5, 97]], 3);
  t.is(countOf(known), 100);
  t.is(percentileOf(known, 97) !== undefined && percentileOf(known, 98), undefined);
  const merged = mergeHistograms([known, histogramOf([[5, 100]])]);
  t.is(merged.beyond, 3);
  t.not(percentileOf(merged, 98), undefined);
  t.is(percentileOf(merged, 99), undefined);
});
