// SPDX-License-Identifier: Apache-2.0

import { centroidMethod } from '../choose/centroid.ts';
import { chosenKnn } from '../choose/choose-settings.ts';
import { knnMethod } from '../choose/knn.ts';
import type { Method } from '../choose/method.ts';
import { ridgeMethod } from '../choose/ridge.ts';
import { STATIC } from '../choose/static-best.ts';
import type { Example } from '../choose/training.ts';
import { comparePicks, judgePicks, type Pick, type Verdict } from './judge-picks.ts';
import { pickHeldOut } from './leave-one-out.ts';

export interface Comparison {
  readonly picker: string;
  readonly verdict: Verdict;
  /** Cost over the best single policy's, less 1, with its interval. */
  readonly overStatic: ReturnType<typeof comparePicks>;
}

/** The methods that were tried; the first is the one that maps use. */
export const METHODS: readonly Method[] = [
  chosenKnn(),
  knnMethod({ k: 3, bandwidth: 0.7 }),
  knnMethod({ k: 8, bandwidth: 0.7 }),
  centroidMethod(5),
  ridgeMethod(3),
];

/** How the comparison names who has one policy for all. */
export const BEST_SINGLE = 'best single policy of the other workloads';

/**
 * Every method, cautious (recommends only what is surely better) and bold (its best estimate), beside EEVDF for all, the best single policy
 * and the oracle, which has seen the answers. Each situation is judged by pickers that never saw its workload.
 */
export function compareMethods(
  examples: readonly Example[],
  methods: readonly Method[] = METHODS,
): Comparison[] {
  const fixed = pickHeldOut(STATIC, examples, true);
  const pickers: (readonly [string, readonly Pick[]])[] = [
    ...methods.flatMap((method) => [
      [method.name, pickHeldOut(method, examples)] as const,
      [`${method.name}, bold`, pickHeldOut(method, examples, true)] as const,
    ]),
    [BEST_SINGLE, fixed],
    ['EEVDF', examples.map((example) => ({ example }))],
    ['oracle', examples.map(oracle)],
  ];
  return pickers.map(([picker, picks]) => ({
    picker,
    verdict: judgePicks(picks),
    overStatic: comparePicks(picks, fixed),
  }));
}

/** The pick of who has seen the answers; leaves EEVDF alone where nothing is better. */
export function oracle(example: Example): Pick {
  let best: { readonly policy: string; readonly logCost: number } | undefined;
  for (const [policy, { logCost, failures }] of example.costs) {
    if (logCost === undefined || failures > 0 || logCost >= (best?.logCost ?? 0)) continue;
    best = { policy, logCost };
  }
  return { example, ...(best === undefined ? {} : { policy: best.policy }) };
}
