// SPDX-License-Identifier: Apache-2.0
import type { Spec } from './spec.ts';

/** Blocks between two looks grow with those that are there. */
const GROWTH = 1.5;

/**
 * Numbers of blocks after which a run looks whether it knows enough, rising; the last is the spec's `seeds.count`. A run of a fixed number
 * of blocks looks once, at its end.
 */
export function looksOf({ stop, seeds }: Pick<Spec, 'stop' | 'seeds'>): number[] {
  if (stop.rule === 'fixed') return [seeds.count];
  const looks: number[] = [];
  for (let blocks = stop.minBlocks; blocks < seeds.count; blocks = Math.ceil(blocks * GROWTH))
    looks.push(blocks);
  return [...looks, seeds.count];
}
