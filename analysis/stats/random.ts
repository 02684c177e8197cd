// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** Uniform 32-bit words that follow from a seed alone. */
export type Words = () => number;

/**
 * A generator for resampling: sfc32, seeded with 96 bits of SHA-256 over `base` and `path`. Equal seeds give equal words on every machine.
 *
 * Source: Doty-Humphrey's Small Fast Counter generator with 32-bit words (PractRand 0.94); period at least 2^32.
 */
export function randomWords(base: number, ...path: readonly (string | number)[]): Words {
  const digest = createHash('sha256')
    .update(JSON.stringify([base, ...path]))
    .digest();
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let counter = 1;
  const next = () => {
    const word = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word) | 0;
    return word >>> 0;
  };
  // The first words still show the seed.
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** A whole number from 0 to `below` - 1; the bias of the multiplication is below 2^-32 x `below`. */
export function pick(words: Words, below: number): number {
  return Math.floor((words() / 4294967296) * below);
}

/** A real number strictly between 0 and 1. */
export function uniform(words: Words): number {
  return (words() + 0.5) / 4294967296;
}
