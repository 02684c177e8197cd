// SPDX-License-Identifier: Apache-2.0

/** Arithmetic mean; of equal values exactly that value. NaN for none. */
export function meanOf(values: readonly number[]): number {
  const first = values[0];
  if (first === undefined) return Number.NaN;
  // Around the first value, so that equal values have a mean without rounding.
  let sum = 0;
  for (const value of values) sum += value - first;
  return first + sum / values.length;
}

/** Variance with n - 1 (two passes); NaN for fewer than two values. */
export function varianceOf(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const mean = meanOf(values);
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return sum / (values.length - 1);
}
