// SPDX-License-Identifier: Apache-2.0

/** Count, mean and sum of squared deviations of numbers of which no other trace is kept. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  readonly m2: number;
}

export const NO_MOMENTS: Moments = { n: 0, mean: 0, m2: 0 };

/**
 * With one more value. Source: Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4
 * (1962) 419-420.
 */
export function withValue({ n, mean, m2 }: Moments, value: number): Moments {
  const grown = n + 1;
  const delta = value - mean;
  const moved = mean + delta / grown;
  return { n: grown, mean: moved, m2: m2 + delta * (value - moved) };
}

/** Unbiased variance; undefined for fewer than two values. */
export function varianceOf({ n, m2 }: Moments): number | undefined {
  return n < 2 ? undefined : m2 / (n - 1);
}
