// SPDX-License-Identifier: Apache-2.0
import type { Method } from './method.ts';
import { priorsOf } from './training.ts';

/** The same for every vector: each policy's mean over all situations. Whoever looks at vectors must beat this. */
export const STATIC: Method = {
  name: 'best single policy',
  fit(examples) {
    const estimates = [...priorsOf(examples)].map(([policy, { mean, variance }]) => ({
      policy,
      expected: mean,
      deviation: Math.max(1e-3, Math.sqrt(variance)),
      failures: 0,
    }));
    return { estimates: () => estimates };
  },
};
