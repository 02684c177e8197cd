// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** A seed that reaches the guest: an integer in [1, 2^31 - 1], so that every program accepts it. */
export type Seed = number & { readonly __brand: 'Seed' };

const SEED_SPAN = 2 ** 31 - 1;

/** Derives an independent seed from a base and a path of labels (SHA-256, so order and spelling matter). */
export function deriveSeed(base: number, ...path: readonly (string | number)[]): Seed {
  const digest = createHash('sha256')
    .update(JSON.stringify([base, ...path]))
    .digest();
  return (1 + (digest.readUInt32BE(0) % SEED_SPAN)) as Seed;
}

/** A permutation of `items` that depends on `seed` alone (Fisher-Yates over a SHA-256 stream). */
export function shuffled<T>(items: readonly T[], seed: Seed): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const pick = deriveSeed(seed, 'shuffle', last) % (last + 1);
    const held = result[last] as T;
    result[last] = result[pick] as T;
    result[pick] = held;
  }
  return result;
}
