// SPDX-License-Identifier: Apache-2.0
import { chord } from '../vector.ts';
import { knnEstimates, type Near } from './estimate.ts';
import { meanVector } from './mean-vector.ts';
import type { FittedMethod, Method } from './method.ts';
import { type Example, priorsOf } from './training.ts';

/**
 * Nearest centroid: situations in `clusters` groups by k-means (Lloyd 1982), begun from the points farthest apart (Gonzalez 1985), so without
 * chance; a situation is expected to cost what its group's members do, all weighing the same.
 */
export function centroidMethod(clusters: number): Method {
  return {
    name: `nearest centroid of ${clusters}`,
    fit(examples): FittedMethod {
      const points = examples.map(({ vectors }) => meanVector(vectors));
      const centres = kMeans(points, clusters);
      const groups = centres.map((_, at) =>
        examples.filter((_, point) => closest(points[point] as Float32Array, centres) === at),
      );
      const priors = priorsOf(examples);
      return {
        estimates(vector) {
          const members: Near[] = (groups[closest(vector, centres)] ?? []).map(({ costs }: Example) => ({
            distance: 1,
            costs,
          }));
          return knnEstimates(members, priors, { k: members.length, bandwidth: 1 });
        },
      };
    },
  };
}

const ROUNDS = 50;

export function kMeans(points: readonly Float32Array[], clusters: number): Float32Array[] {
  const [first] = points;
  if (first === undefined) return [];
  let centres = [first];
  while (centres.length < Math.min(clusters, points.length)) {
    const gap = (point: Float32Array) => Math.min(...centres.map((centre) => chord(point, centre)));
    centres.push(points.reduce((far, point) => (gap(point) > gap(far) ? point : far)));
  }
  for (let round = 0; round < ROUNDS; round++) {
    const moved = centres.map((centre, at) => {
      const members = points.filter((point) => closest(point, centres) === at);
      return members.length === 0 ? centre : meanVector(members);
    });
    if (moved.every((centre, at) => chord(centre, centres[at] as Float32Array) < 1e-6)) break;
    centres = moved;
  }
  return centres;
}

function closest(point: Float32Array, centres: readonly Float32Array[]): number {
  let best = 0;
  for (let at = 1; at < centres.length; at++) {
    if (chord(point, centres[at] as Float32Array) < chord(point, centres[best] as Float32Array)) best = at;
  }
  return best;
}
