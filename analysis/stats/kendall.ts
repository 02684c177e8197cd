// SPDX-License-Identifier: Apache-2.0

/**
 * Kendall's tau-b of two lists of equal length: (concordant - discordant pairs) / sqrt((pairs - ties in x) (pairs - ties in y)), from
 * -1, opposite orders, to 1, equal orders. Undefined for fewer than two values, or when all values of a list are equal: there
 * is no order then. Throws RangeError for lists of different length or values that are not finite.
 *
 * Source: Kendall, "The treatment of ties in ranking problems", Biometrika 33 (1945) 239-251. Counts every pair, n (n - 1) / 2.
 */
export function kendallTauB(x: readonly number[], y: readonly number[]): number | undefined {
  if (x.length !== y.length) throw new RangeError(`lists of ${x.length} and ${y.length} values`);
  const odd = [...x, ...y].find((value) => !Number.isFinite(value));
  if (odd !== undefined) throw new RangeError(`${odd} has no place in an order`);
  let score = 0;
  let orderedX = 0;
  let orderedY = 0;
  for (let first = 0; first < x.length; first++) {
    for (let second = first + 1; second < x.length; second++) {
      const inX = compare(x[first] as number, x[second] as number);
      const inY = compare(y[first] as number, y[second] as number);
      score += inX * inY;
      orderedX += Math.abs(inX);
      orderedY += Math.abs(inY);
    }
  }
  if (orderedX === 0 || orderedY === 0) return undefined;
  // Rounding must not carry equal orders past 1.
  return Math.max(-1, Math.min(1, score / (Math.sqrt(orderedX) * Math.sqrt(orderedY))));
}

/** -1, 0 or 1; a difference could underflow or overflow. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
