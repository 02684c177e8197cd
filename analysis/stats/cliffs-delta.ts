// SPDX-License-Identifier: Apache-2.0

/**
 * Cliff's delta of two samples: P(a > b) - P(a < b) over all pairs of their values, from -1 to 1. Undefined when one is empty.
 *
 * Source: Cliff, "Dominance statistics: ordinal analyses to answer ordinal questions", Psychological Bulletin 114 (1993) 494-509.
 */
export function cliffsDelta(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length === 0 || b.length === 0) return undefined;
  const sorted = Float64Array.from(b).sort();
  let score = 0;
  for (const value of a)
    score += countBelow(sorted, value, false) - (sorted.length - countBelow(sorted, value, true));
  return score / (a.length * b.length);
}

/** How many of the sorted values are below `value`, or also equal to it. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = sorted[middle] as number;
    if (other < value || (orEqual && other === value)) from = middle + 1;
    else to = middle;
  }
  return from;
}
