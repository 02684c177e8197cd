// SPDX-License-Identifier: Apache-2.0
import type { PlannedTrial } from '../core/trial.ts';

/** The seed of every block of a plan, in its order; null controls have seeds of their own, which are not among them. */
export function blockSeeds({ trials }: { readonly trials: readonly PlannedTrial[] }): number[] {
  const seeds = new Map<number, number>();
  for (const { role, block, seed } of trials) if (role === 'measure') seeds.set(block, seed);
  return [...seeds.values()];
}
