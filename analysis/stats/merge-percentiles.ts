// SPDX-License-Identifier: Apache-2.0
import { countOf, mergeHistograms, percentileOf } from '../../harness/core/histogram.ts';
import type { Metric } from '../../harness/core/metric.ts';

/** A percentile of all values that several trials saw, and how many they are. */
export interface MergedPercentile {
  readonly trials: number;
  readonly count: number;
  /** In the metric's unit, within 1/64 (half a bucket) of the value itself. */
  readonly value: number;
}

/**
 * The `p`-th percentile over all trials of one metric, from their merged distributions; the mean of the trials' own percentiles is not
 * that. Undefined unless every trial has a distribution: without some, it would be of the others. Undefined, too, where the value of that
 * rank is not known (see `Histogram.beyond`).
 */
export function mergedPercentile(metrics: readonly Metric[], p: number): MergedPercentile | undefined {
  const [first] = metrics;
  const strange = metrics.find(({ name, unit }) => name !== first?.name || unit !== first.unit);
  if (strange !== undefined) throw new Error(`${strange.name} in ${strange.unit} is no ${first?.name}`);
  const histograms = metrics.flatMap(({ histogram }) => histogram ?? []);
  if (histograms.length < metrics.length) return undefined;
  const merged = mergeHistograms(histograms);
  const value = percentileOf(merged, p);
  return value === undefined ? undefined : { trials: metrics.length, count: countOf(merged), value };
}
