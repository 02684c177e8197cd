// SPDX-License-Identifier: Apache-2.0
import { median } from './median.ts';

/** Fewer values cannot show which of them is the odd one. */
const LEAST = 5;
const LIMIT = 3.5;

/**
 * Places of the values that are far from the others: modified z-score beyond 3.5. They are told, never removed. None for fewer than
 * five values.
 *
 * Source: Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993: 0.6745 (x - median) / MAD; where more than half of the values
 * are equal the mean absolute deviation takes the place of the MAD, x - median over 1.2533 of it.
 */
export function outlierPlaces(values: readonly number[]): number[] {
  if (values.length < LEAST) return [];
  const middle = median(values) as number;
  const distances = values.map((value) => Math.abs(value - middle));
  const mad = median(distances) as number;
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  const scale = mad > 0 ? mad / 0.6745 : 1.2533 * mean;
  // Spread that is rounding alone makes no outlier.
  if (!(scale > 1e-12 * Math.max(1, Math.abs(middle)))) return [];
  return distances.flatMap((distance, at) => (distance / scale > LIMIT ? [at] : []));
}
