// SPDX-License-Identifier: Apache-2.0
import { meanOf } from './moments.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { quantile } from './quantile.ts';
import type { Words } from './random.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Both from the same resamples. */
export interface BootstrapMean {
  readonly percentile: Interval;
  readonly bca: Interval;
}

export const RESAMPLES = 2000;

/**
 * Percentile and BCa bootstrap intervals of a mean, at `level`. Undefined for fewer than two values.
 *
 * Source: Efron, "Better bootstrap confidence intervals", JASA 82 (1987) 171-185; Davison and Hinkley, "Bootstrap Methods and their
 * Application", 1997, chapter 5. The acceleration of a mean has a closed form. Both are too narrow for few values:
 * analysis/simulation shows by how much.
 */
export function bootstrapMean(
  values: readonly number[],
  level: number,
  words: Words,
  resamples = RESAMPLES,
): BootstrapMean | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const means = new Float64Array(resamples);
  const own = Float64Array.from(values);
  for (let at = 0; at < resamples; at++) means[at] = words.sumOfDraws(own) / n;
  means.sort();
  const tail = (1 - level) / 2;
  const percentile = { low: quantile(means, tail), high: quantile(means, 1 - tail) };
  return { percentile, bca: bcaInterval(means, values, tail) ?? percentile };
}

/** Undefined when there is no spread, or the mean lies outside all resamples: there is nothing to correct then. */
function bcaInterval(means: Float64Array, values: readonly number[], tail: number): Interval | undefined {
  const mean = meanOf(values);
  let below = 0;
  // Few values make many equal means; half of them counts as below.
  const near = 1e-12 * values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let at = 0; at < means.length; at++) {
    const each = means[at] as number;
    below += each < mean - near ? 1 : each <= mean + near ? 0.5 : 0;
  }
  const share = below / means.length;
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (value - mean) ** 2;
    cubes += (value - mean) ** 3;
  }
  if (squares === 0 || share <= 0 || share >= 1) return undefined;
  const bias = normalQuantile(share);
  const acceleration = cubes / (6 * squares ** 1.5);
  const end = (p: number) => {
    const z = bias + normalQuantile(p);
    return quantile(means, normalCdf(bias + z / (1 - acceleration * z)));
  };
  return { low: end(tail), high: end(1 - tail) };
}
