// SPDX-License-Identifier: Apache-2.0
import type { Words } from '../stats/random.ts';
import { uniform } from '../stats/random.ts';
import { outcomeTable } from '../tables/outcome-table.ts';
import type { OutcomeTable } from '../tables/outcome-types.ts';
import { sampleRun } from '../tables/sample-run.ts';
import { noisyValue, type Shape } from './noise.ts';

/** A made-up experiment whose truth is known: one policy has an effect, the others none. */
export interface Truth {
  readonly shape: Shape;
  readonly blocks: number;
  /** True ratio of the policy `effect` to the baseline. */
  readonly ratio: number;
  /** Policies that differ from the baseline in nothing. */
  readonly nulls: number;
  /** Standard deviation of the noise of one value, relatively. */
  readonly spread: number;
  /** How many times noisier the policy `effect` is than all others. */
  readonly noisier: number;
}

/** Runs it once and analyses it as `pmvx analyze` would. */
export function simulate(truth: Truth, words: Words): OutcomeTable {
  const { shape, blocks, ratio, nulls, spread, noisier } = truth;
  // What a block's seed does to every trial of the block: up to a factor of two.
  const levels = Array.from({ length: blocks }, () => Math.exp(Math.LN2 * uniform(words)));
  const draw = (factor: number, noise = spread) =>
    levels.map((level) => noisyValue(shape, level * factor, noise, words));
  const policies = Array.from({ length: nulls }, (_, at) => [`null-${at + 1}`, draw(1)] as const);
  const ends = {
    eevdf: draw(1),
    aa: draw(1),
    effect: draw(ratio, noisier * spread),
    ...Object.fromEntries(policies),
  };
  return outcomeTable(sampleRun([{ workload: 'simulated', ends }]));
}
