// SPDX-License-Identifier: Apache-2.0
import quantile from '@stdlib/stats-base-dists-t-quantile';
import { incompleteBeta } from './gamma.ts';
import { meanOf, varianceOf } from './moments.ts';

/** P(|T| >= |t|) of Student's distribution with `df` degrees of freedom (DLMF 8.17; Abramowitz and Stegun 26.7.1). */
export function studentTails(t: number, df: number): number {
  return incompleteBeta(df / (df + t * t), df / 2, 0.5);
}

/** A mean with its two-sided Student interval and test against 0. */
export interface StudentInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided; absent without spread: there is nothing to measure the mean by. */
  readonly p?: number;
}

/** Student's interval of a mean at `level` (Student 1908), from two values on; undefined for fewer. */
export function studentInterval(values: readonly number[], level: number): StudentInterval | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const mean = meanOf(values);
  const error = Math.sqrt(varianceOf(values) / n);
  if (error === 0) return { mean, low: mean, high: mean };
  const half = studentQuantile(1 - (1 - level) / 2, n - 1) * error;
  return { mean, low: mean - half, high: mean + half, p: studentTails(mean / error, n - 1) };
}

const quantiles = new Map<string, number>();

/** t with P(T <= t) = p; tables ask for the same few again and again. */
export function studentQuantile(p: number, df: number): number {
  const key = `${p} ${df}`;
  const known = quantiles.get(key) ?? quantile(p, df);
  quantiles.set(key, known);
  return known;
}
