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

/** Counts of values, each with how often it occurred. */
export function histogramOf(values: Iterable<readonly [value: number, count: number]>): Histogram {
  const counts = new Map<number, number>();
  for (const [value, count] of values) {
    const bucket = bucketOf(value);
    if (count > 0) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  }
  return { v: 1, buckets: [...counts].sort(([a], [b]) => a - b) };
}

/** One histogram of all that is in several. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const counts = new Map<number, number>();
  for (const { buckets } of histograms) {
    for (const [bucket, count] of buckets) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  }
  return { v: 1, buckets: [...counts].sort(([a], [b]) => a - b) };
}

/** How many values a histogram has. */
export function countOf({ buckets }: Histogram): number {
  return buckets.reduce((sum, [, count]) => sum + count, 0);
}

/**
 * The `p`-th percentile, 0 to 100: the middle of the bucket that holds the value of rank ceil(p n / 100) (nearest rank). Undefined for an
 * empty histogram.
 */
export function percentileOf(histogram: Histogram, p: number): number | undefined {
  const rank = Math.max(1, Math.ceil((p / 100) * countOf(histogram)));
  let seen = 0;
  for (const [bucket, count] of histogram.buckets) {
    seen += count;
    if (seen < rank) continue;
    const [from, to] = boundsOf(bucket);
    return bucket < LINEAR ? from : (from + to) / 2;
  }
  return undefined;
}
