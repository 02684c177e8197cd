// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type Frozen, openObject } from './open-object.ts';

/** Seconds from when the policy took over in a run to its end: the harness's own metric of runs of fixed work. */
export const TIME_AFTER = 'time_after';

/**
 * Counts by log-linear bucket (after Gil Tene's HdrHistogram): a value v in the metric's unit, in thousandths n = round(1000 v), is in bucket n
 * when n < 64, and otherwise in 32 (e - 5) + floor(n / 2^(e - 5)) with e = floor(log2 n). Buckets are at most 1/32 wide, relatively, and the
 * same everywhere, so that histograms of several trials are merged by adding counts. A bucket that is there twice, or has no count, is refused.
 */
const HistogramSchema = openObject({
  v: z.literal(1),
  /** Bucket and count, in rising order of buckets; no count is 0. */
  buckets: z
    .array(z.tuple([z.int().nonnegative(), z.int().positive()]))
    .refine((buckets) => buckets.every(([bucket], at) => at === 0 || bucket > (buckets[at - 1]?.[0] ?? -1)), {
      message: 'buckets must rise',
    }),
  /**
   * Values that were there and are not known: beyond the last bucket of the program, or without an end when the run ended. They are
   * ranked above all others. Absent for none.
   */
  beyond: z.int().positive().exactOptional(),
});

export type Histogram = Frozen<z.infer<typeof HistogramSchema>>;

/** A measured value with all that is needed to read it. `value` is always finite. */
export const MetricSchema = openObject({
  name: z.string(),
  unit: z.string(),
  direction: z.enum(['lower', 'higher']),
  /** The one metric by which a workload is ranked. */
  primary: z.boolean(),
  value: z.number(),
  /** The whole distribution, where the program tells it. */
  histogram: HistogramSchema.exactOptional(),
});

export type Metric = Frozen<z.infer<typeof MetricSchema>>;
/** Which way is better. */
export type Direction = Metric['direction'];

/** Which percentile a metric is by its name, 0 to 100: `late_p99` is the 99th, `wakeup_p999` the 99.9th; undefined for any other. */
export function percentileNamed(name: string): number | undefined {
  const digits = /_p(\d{2,3})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits) / 10 ** (digits.length - 2);
}
