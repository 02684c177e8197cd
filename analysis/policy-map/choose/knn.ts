// SPDX-License-Identifier: Apache-2.0
import { chord } from '../vector.ts';
import { type KnnSettings, knnEstimates, type Near } from './estimate.ts';
import type { FittedMethod, Method } from './method.ts';
import { type Example, priorsOf } from './training.ts';

/** Nearest neighbours by comparing with every vector: what a query of a map does with fewer. */
export function knnMethod(settings: KnnSettings): Method {
  return {
    name: `kNN k=${settings.k} bandwidth=${settings.bandwidth}`,
    fit(examples): FittedMethod {
      const priors = priorsOf(examples);
      return { estimates: (vector) => knnEstimates(nearest(vector, examples), priors, settings) };
    },
  };
}

/** All examples, nearest first; the distance of an example is that of its nearest vector. */
export function nearest(
  vector: Float32Array,
  examples: readonly Example[],
): (Near & { readonly example: Example })[] {
  return examples
    .map((example) => ({
      example,
      costs: example.costs,
      distance: Math.min(...example.vectors.map((other) => chord(vector, other))),
    }))
    .sort((a, b) => a.distance - b.distance);
}
