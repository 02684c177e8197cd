// SPDX-License-Identifier: Apache-2.0
import type { Words } from '../stats/random.ts';
import { uniform } from '../stats/random.ts';
import { outcomeTable } from '../tables/outcome-table.ts';
import type { OutcomeTable } from '../tables/outcome-types.ts';
import { sampleRun } from '../tables/sample-run.ts';
import { noisyValue, type Shape } from './noise.ts';

/** A made-up experiment of one policy, whose truth is known. */
export interface Truth {
  readonly shape: Shape;
  readonly blocks: number;
  /** True ratio of the policy `effect` to the baseline. */
  readonly ratio: number;
  /** Standard deviation of the noise of one value, relatively. */
  readonly spread: number;
  /** How many times noisier the policy is than the baseline. */
  readonly noisier: number;
}

/** Runs it once and analyses it as `pmvx analyze` would. */
export function simulate(truth: Truth, words: Words): OutcomeTable {
  const { shape, blocks, ratio, spread, noisier } = truth;
  // What a block's seed does to every trial of the block: up to a factor of two.
  const levels = Array.from({ length: blocks }, () => Math.exp(Math.LN2 * uniform(words)));
  const own = Array.from({ length: blocks }, () => Math.exp(Math.LN2 * uniform(words)));
  const draw = (factor: number, noise = spread, of = levels) =>
    of.map((level) => noisyValue(shape, level * factor, noise, words));
  const ends = {
    eevdf: draw(1),
    // The null control has seeds of its own.
    aa: draw(1, spread, own),
    effect: draw(ratio, noisier * spread),
  };
  return outcomeTable(sampleRun([{ workload: 'simulated', ends }]));
}
