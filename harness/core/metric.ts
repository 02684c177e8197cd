// SPDX-License-Identifier: Apache-2.0
/** Seconds from when the policy took over in a run to its end: the harness's own metric of runs of fixed work. */
export const TIME_AFTER = 'time_after';

/** Which way is better. */
export type Direction = 'lower' | 'higher';

/** A measured value with all that is needed to read it. `value` is always finite. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly direction: Direction;
  /** The one metric by which a workload is ranked. */
  readonly primary: boolean;
  readonly value: number;
  /** The whole distribution, where the program tells it. */
  readonly histogram?: Histogram;
}

/**
 * Counts by log-linear bucket (after Gil Tene's HdrHistogram): a value v in the metric's unit, in thousandths n = round(1000 v), is in bucket n
 * when n < 64, and otherwise in 32 (e - 5) + floor(n / 2^(e - 5)) with e = floor(log2 n). Buckets are at most 1/32 wide, relatively, and the
 * same everywhere, so that histograms of several trials are merged by adding counts.
 */
export interface Histogram {
  readonly v: 1;
  /** Bucket and count, in rising order of buckets; no count is 0. */
  readonly buckets: readonly (readonly [bucket: number, count: number])[];
}
