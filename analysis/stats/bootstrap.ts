// SPDX-License-Identifier: Apache-2.0
import { deriveSeed } from '../../harness/core/seed.ts';
import { quantile } from './quantile.ts';

/** A percentile interval, and how many of the resamples gave a value. */
export interface BootstrapInterval {
  readonly low: number;
  readonly high: number;
  readonly resamples: number;
  readonly usable: number;
}

const LEVEL = 0.95;
const RESAMPLES = 2000;

/**
 * 95 % percentile interval of a statistic over blocks that are drawn with replacement, all values of a block together.
 * The same `seed` draws the same blocks. Resamples for which the statistic is undefined are left out and counted. Undefined for
 * fewer than two blocks, or when fewer than nine in ten resamples gave a value.
 *
 * Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. With few blocks it is too
 * narrow: n blocks have only (2n - 1 choose n) different resamples.
 */
export function bootstrapInterval(
  blocks: readonly number[],
  statistic: (drawn: readonly number[]) => number | undefined,
  seed: number,
  resamples = RESAMPLES,
): BootstrapInterval | undefined {
  if (blocks.length < 2) return undefined;
  const values: number[] = [];
  for (let at = 0; at < resamples; at++) {
    const drawn = blocks.map((_, draw) => {
      return blocks[deriveSeed(seed, 'bootstrap', at, draw) % blocks.length] as number;
    });
    const value = statistic(drawn);
    if (value !== undefined) values.push(value);
  }
  if (values.length < 0.9 * resamples) return undefined;
  values.sort((a, b) => a - b);
  const tail = (1 - LEVEL) / 2;
  return {
    low: quantile(values, tail),
    high: quantile(values, 1 - tail),
    resamples,
    usable: values.length,
  };
}
