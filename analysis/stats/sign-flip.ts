// SPDX-License-Identifier: Apache-2.0
import type { Words } from './random.ts';

/** Up to so many values every assignment of signs is tried. */
export const EXACT_UP_TO = 16;

/**
 * Two-sided p of the sign-flip permutation test that the values are symmetric around 0: the share of assignments of signs whose sum is
 * at least as far from 0 as the one seen. Exact for up to `EXACT_UP_TO` values that are not 0; else (b + 1) / (B + 1) over B random
 * assignments. Never below 2 / 2^n: five values cannot reach 0.05. Undefined for no values.
 *
 * Source: Fisher, "The Design of Experiments", 1935, section 21; Phipson and Smyth, "Permutation p-values should never be zero", 2010.
 */
export function signFlipTest(values: readonly number[], words: Words): number | undefined {
  if (values.length === 0) return undefined;
  // A 0 has no sign; it changes no sum.
  const sizes = Float64Array.from(values.filter((value) => value !== 0).map(Math.abs)).sort();
  if (sizes.length === 0) return 1;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  // Sums that differ by rounding alone are equal.
  const seen = Math.abs(values.reduce((sum, value) => sum + value, 0)) - 1e-12 * total;
  return sizes.length <= EXACT_UP_TO ? exact(sizes, total, seen) : sampled(sizes, seen, words);
}

/** In Gray's order: each assignment differs from the one before by one sign. The last sign stays: the other half mirrors this one. */
function exact(sizes: Float64Array, total: number, seen: number): number {
  const half = 2 ** (sizes.length - 1);
  let sum = total;
  let extreme = 1;
  const positive = new Uint8Array(sizes.length).fill(1);
  for (let step = 1; step < half; step++) {
    const at = 31 - Math.clz32(step & -step);
    const size = sizes[at] as number;
    sum += positive[at] === 1 ? -2 * size : 2 * size;
    positive[at] = 1 - (positive[at] as number);
    if (Math.abs(sum) >= seen) extreme++;
  }
  return extreme / half;
}

const MOST = 19_999;
const LEAST = 1999;
/** Signs that one test may draw. */
const BUDGET = 2e7;

/** Random signs, eight at a time: what each of their 256 assignments adds up to is computed once. */
function sampled(sizes: Float64Array, seen: number, words: Words): number {
  const draws = Math.max(LEAST, Math.min(MOST, Math.floor(BUDGET / sizes.length)));
  // Four groups take the bits of one word.
  const groups = 4 * Math.ceil(sizes.length / 32);
  const sums = new Float64Array(256 * groups);
  for (let at = 0; at < sums.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const size = sizes[8 * (at >> 8) + bit] ?? 0;
      sums[at] = (sums[at] as number) + (((at >> bit) & 1) === 1 ? size : -size);
    }
  }
  let extreme = 0;
  const signs = new Uint32Array(groups / 4);
  for (let draw = 0; draw < draws; draw++) {
    words.fill(signs);
    let sum = 0;
    for (let word = 0; word < signs.length; word++) {
      const at = 1024 * word;
      const bits = signs[word] as number;
      sum +=
        (sums[at + (bits & 255)] as number) +
        (sums[at + 256 + ((bits >>> 8) & 255)] as number) +
        (sums[at + 512 + ((bits >>> 16) & 255)] as number) +
        (sums[at + 768 + (bits >>> 24)] as number);
    }
    if (Math.abs(sum) >= seen) extreme++;
  }
  return (extreme + 1) / (draws + 1);
}
