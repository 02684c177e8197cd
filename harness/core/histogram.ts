// SPDX-License-Identifier: Apache-2.0
import type { Histogram } from './metric.ts';

/** Buckets of one doubling; a bucket is at most 1/32 of its values wide. */
const PER_DOUBLING = 32;
/** Below this many thousandths each has a bucket of its own. */
const LINEAR = 2 * PER_DOUBLING;

/** The bucket of a value that is not negative; see `Histogram`. */
export function bucketOf(value: number): number {
  const n = Math.round(value * 1000);
  if (n < LINEAR) return n;
  const doublings = Math.floor(Math.log2(n)) - 5;
  return PER_DOUBLING * doublings + Math.floor(n / 2 ** doublings);
}

/** Least value and first value beyond a bucket, in the metric's unit. */
export function boundsOf(bucket: number): readonly [from: number, to: number] {
  if (bucket < LINEAR) return [bucket / 1000, (bucket + 1) / 1000];
  const doublings = Math.floor(bucket / PER_DOUBLING) - 1;
  const part = bucket - PER_DOUBLING * doublings;
  const width = 2 ** doublings / 1000;
  return [part * width, (part + 1) * width];
}

/** Counts of values, each with how often it occurred, and how many more are not known (see `Histogram`). */
export function histogramOf(
  values: Iterable<readonly [value: number, count: number]>,
  beyond = 0,
): Histogram {
  const counts = new Map<number, number>();
  for (const [value, count] of values) {
    const bucket = bucketOf(value);
    if (count > 0) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  }
  return histogram(counts, beyond);
}

function histogram(counts: ReadonlyMap<number, number>, beyond: number): Histogram {
  const buckets = [...counts].sort(([a], [b]) => a - b);
  return beyond > 0 ? { v: 1, buckets, beyond } : { v: 1, buckets };
}

/** One histogram of all that is in several. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const counts = new Map<number, number>();
  let beyond = 0;
  for (const { buckets, beyond: more = 0 } of histograms) {
    for (const [bucket, count] of buckets) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
    beyond += more;
  }
  return histogram(counts, beyond);
}

/** How many values a histogram has, those that are not known among them. */
export function countOf({ buckets, beyond = 0 }: Histogram): number {
  return buckets.reduce((sum, [, count]) => sum + count, beyond);
}

/** The rank of the `p`-th percentile, 0 to 100, of so many values, counted from 1: ceil(p n / 100) (nearest rank). */
export function rankOf(p: number, count: number): number {
  // In thousandths, for 99.9 / 100 is no binary fraction.
  return Math.max(1, Math.ceil((Math.round(p * 1000) * count) / 100_000));
}

/**
 * The `p`-th percentile, 0 to 100: the middle of the bucket that holds the value of its rank. Undefined for an empty histogram, and where
 * the value of that rank is not known: nothing is put in its place.
 */
export function percentileOf(histogram: Histogram, p: number): number | undefined {
  const rank = rankOf(p, countOf(histogram));
  let seen = 0;
  for (const [bucket, count] of histogram.buckets) {
    seen += count;
    if (seen < rank) continue;
    const [from, to] = boundsOf(bucket);
    return bucket < LINEAR ? from : (from + to) / 2;
  }
  return undefined;
}
