// SPDX-License-Identifier: Apache-2.0
import { FAILURES } from './calibrate.ts';
import { type Estimate, type KnnSettings, knnEstimates } from './estimate.ts';
import { knnMethod, nearest } from './knn.ts';
import { meanVector } from './mean-vector.ts';
import type { Method } from './method.ts';
import { type Example, priorsOf } from './training.ts';

/** Settings of a map that knows too little to choose any. */
export const KNN: KnnSettings = { k: 3, bandwidth: 0.7 };

/** From few neighbours that outweigh the prior only when they are near, to many that outweigh it anyway. */
const CANDIDATES: readonly KnnSettings[] = [2, 3, 5, 8].flatMap((k) =>
  [0.35, 0.5, 0.7, 1].map((bandwidth) => ({ k, bandwidth })),
);
/** Fewer workloads choose nothing. */
const LEAST_WORKLOADS = 8;

/**
 * The settings with which the best estimates would have cost least, each workload left out in turn: mean logarithm over situations of the cost over the
 * baseline's. A pick that fails costs what the dearest policy there does.
 */
export function chooseKnn(examples: readonly Example[]): KnnSettings {
  const groups = Map.groupBy(examples, ({ workload }) => workload);
  if (groups.size < LEAST_WORKLOADS) return KNN;
  const sums = CANDIDATES.map(() => 0);
  for (const [workload, group] of groups) {
    const others = examples.filter((example) => example.workload !== workload);
    const priors = priorsOf(others);
    for (const example of group) {
      const near = nearest(meanVector(example.vectors), others);
      CANDIDATES.forEach((settings, at) => {
        sums[at] = (sums[at] as number) + realCost(example, knnEstimates(near, priors, settings));
      });
    }
  }
  return CANDIDATES[sums.indexOf(Math.min(...sums))] as KnnSettings;
}

/** Neighbours with the settings that are best on what they learn from: what a map does. */
export function chosenKnn(): Method {
  return {
    name: 'kNN, settings chosen',
    fit: (examples) => knnMethod(chooseKnn(examples)).fit(examples),
    chosenOn: (examples) => knnMethod(chooseKnn(examples)),
  };
}

function realCost({ costs }: Example, estimates: readonly Estimate[]): number {
  const sound = estimates.filter(({ failures }) => failures < FAILURES);
  if (sound.length === 0) return 0;
  const { policy } = sound.reduce((best, each) => (each.expected < best.expected ? each : best));
  const real = costs.get(policy);
  if (real?.logCost !== undefined && real.failures === 0) return real.logCost;
  return Math.max(0, ...[...costs.values()].flatMap(({ logCost }) => logCost ?? []));
}
