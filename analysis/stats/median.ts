// SPDX-License-Identifier: Apache-2.0
/** Middle value, or the mean of the two middle ones; undefined for no values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) return undefined;
  // Not (lower + upper) / 2, which overflows for large values.
  return lower === upper ? lower : lower / 2 + upper / 2;
}
