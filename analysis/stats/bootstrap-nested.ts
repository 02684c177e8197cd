// SPDX-License-Identifier: Apache-2.0
import { type Interval, RESAMPLES } from './bootstrap-mean.ts';
import { meanOf } from './moments.ts';
import { quantile } from './quantile.ts';
import { pick, type Words } from './random.ts';

/**
 * Percentile interval of a mean of means of values that nest in groups, at `level`: groups are drawn with replacement, then values within
 * each. Undefined for fewer than two groups, or when one is empty.
 *
 * Source: Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8; Kalibera and Jones, "Quantifying Performance
 * Changes with Effect Size Confidence Intervals", 2012, draw at every level likewise. With few groups it is too narrow.
 */
export function bootstrapNested(
  groups: readonly (readonly number[])[],
  level: number,
  words: Words,
  resamples = RESAMPLES,
): Interval | undefined {
  if (groups.length < 2 || groups.some((group) => group.length === 0)) return undefined;
  const own = groups.map((group) => Float64Array.from(group));
  const means = new Float64Array(resamples);
  for (let at = 0; at < resamples; at++) {
    let sum = 0;
    for (let draw = 0; draw < groups.length; draw++) {
      const group = own[pick(words, own.length)] as Float64Array;
      sum += words.sumOfDraws(group) / group.length;
    }
    means[at] = sum / groups.length;
  }
  means.sort();
  const tail = (1 - level) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/** Means of the groups, in order: what differs between hosts is seen between these alone. */
export function groupMeans(groups: readonly (readonly number[])[]): number[] {
  return groups.map(meanOf);
}
