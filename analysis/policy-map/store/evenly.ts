// SPDX-License-Identifier: Apache-2.0

/** At most `most` of `items`, spread evenly, the first among them. */
export function evenly<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, at) => items[Math.floor((at * items.length) / most)] as T);
}
