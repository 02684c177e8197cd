// SPDX-License-Identifier: Apache-2.0
import { pick, randomWords, type Words } from '../../analysis/stats/random.ts';

/** Choices that follow from a seed and a path of labels alone. */
export class Draw {
  readonly #words: Words;

  constructor(seed: number, ...path: readonly (string | number)[]) {
    this.#words = randomWords(seed, ...path);
  }

  /** A whole number from `least` to `most`, both among them. */
  between(least: number, most: number): number {
    return least + pick(this.#words, most - least + 1);
  }

  oneOf<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to choose from');
    return items[pick(this.#words, items.length)] as T;
  }

  /** One of `items`, as often as its weight says. */
  weighted<T extends { readonly weight: number }>(items: readonly T[]): T {
    let at = pick(
      this.#words,
      items.reduce((sum, { weight }) => sum + weight, 0),
    );
    for (const item of items) {
      at -= item.weight;
      if (at < 0) return item;
    }
    throw new RangeError('nothing to choose from');
  }

  /** True so often of a hundred times. */
  chance(percent: number): boolean {
    return this.between(1, 100) <= percent;
  }

  /** A 32-bit word. */
  word(): number {
    return this.#words();
  }
}
