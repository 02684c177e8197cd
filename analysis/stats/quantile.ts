// SPDX-License-Identifier: Apache-2.0

/** Linear between the two nearest of the sorted values (Hyndman and Fan 1996, definition 7); NaN for none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
