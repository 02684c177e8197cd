// SPDX-License-Identifier: Apache-2.0

type Level<Value> = Map<string, Level<Value> | Value>;

/** Values under several names, made when first asked for: as a map from the names together, without joining them into one text each time. */
export class KeyTree<Value> {
  readonly #root: Level<Value> = new Map();
  readonly #make: () => Value;

  constructor(make: () => Value) {
    this.#make = make;
  }

  /** The value under `keys`, of which a tree always takes the same number. */
  at(...keys: readonly [string, ...string[]]): Value {
    let level = this.#root;
    const last = keys.length - 1;
    for (let depth = 0; depth < last; depth++) {
      const key = keys[depth] as string;
      const known = level.get(key) as Level<Value> | undefined;
      const next: Level<Value> = known ?? new Map();
      if (known === undefined) level.set(key, next);
      level = next;
    }
    const key = keys[last] as string;
    const known = level.get(key) as Value | undefined;
    if (known !== undefined) return known;
    const value = this.#make();
    level.set(key, value);
    return value;
  }
}
