// SPDX-License-Identifier: Apache-2.0
import { quantile } from '../stats/quantile.ts';

/** A vector of unit length, of one configuration of a workload. */
export interface LabelledVector {
  readonly workload: string;
  /** Workload's parameters, vCPUs, speed: what differs between vectors of one workload besides the seed. */
  readonly configuration: string;
  readonly values: readonly number[];
}

/** Distribution of cosines of pairs. */
export interface CosineSummary {
  readonly pairs: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** How well vectors tell workloads apart. */
export interface Separation {
  readonly vectors: number;
  readonly workloads: readonly string[];
  /** Of pairs of one workload in two configurations, 5th, 50th and 95th percentile. */
  readonly within?: CosineSummary;
  readonly between?: CosineSummary;
  /** Mean silhouette over vectors of workloads with two configurations or more, -1 to 1. */
  readonly silhouette?: number;
  readonly nearest: readonly NearestOf[];
  /** Share of vectors whose nearest vector of another configuration is of their own workload; of those that can be. */
  readonly accuracy?: number;
}

/** A row of the confusion: how often vectors of `workload` lay nearest to vectors of each workload. */
export interface NearestOf {
  readonly workload: string;
  readonly configurations: number;
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * Cosines within and between workloads, the silhouette (Rousseeuw, J. Comput. Appl. Math. 20 (1987) 53-65) on 1 - cosine, and the nearest
 * neighbour of each vector among those of *other configurations*: another seed of the same configuration would be too easy.
 * Workloads with one configuration are there to be confused with, and are not judged.
 */
export function separationOf(vectors: readonly LabelledVector[]): Separation {
  const workloads = [...new Set(vectors.map(({ workload }) => workload))].sort();
  const configurations = (workload: string) =>
    new Set(vectors.filter((each) => each.workload === workload).map(({ configuration }) => configuration))
      .size;
  const judged = vectors.filter(({ workload }) => configurations(workload) > 1);
  const [within, between]: [number[], number[]] = [[], []];
  vectors.forEach((a, at) => {
    for (const b of vectors.slice(at + 1)) {
      if (a.workload !== b.workload) between.push(cosine(a, b));
      else if (a.configuration !== b.configuration) within.push(cosine(a, b));
    }
  });
  const nearest = judged.map((vector) => ({ vector, found: nearestOther(vector, vectors) }));
  const right = nearest.filter(({ vector, found }) => found?.workload === vector.workload).length;
  const silhouettes = judged.flatMap((vector) => silhouetteOf(vector, vectors) ?? []);
  return {
    vectors: vectors.length,
    workloads,
    ...optional('within', summaryOf(within)),
    ...optional('between', summaryOf(between)),
    ...(silhouettes.length === 0 ? {} : { silhouette: meanOf(silhouettes) }),
    nearest: workloads.map((workload) => {
      const counts = new Map<string, number>();
      for (const { vector, found } of nearest) {
        if (vector.workload !== workload || found === undefined) continue;
        counts.set(found.workload, (counts.get(found.workload) ?? 0) + 1);
      }
      return { workload, configurations: configurations(workload), counts };
    }),
    ...(judged.length === 0 ? {} : { accuracy: right / judged.length }),
  };
}

function nearestOther(
  vector: LabelledVector,
  vectors: readonly LabelledVector[],
): LabelledVector | undefined {
  const others = vectors.filter(
    (other) => other.workload !== vector.workload || other.configuration !== vector.configuration,
  );
  return others.reduce<LabelledVector | undefined>(
    (best, other) => (best === undefined || cosine(vector, other) > cosine(vector, best) ? other : best),
    undefined,
  );
}

/** (b - a) / max(a, b): a is the mean distance to the own workload's other configurations, b that to the nearest other workload. */
function silhouetteOf(vector: LabelledVector, vectors: readonly LabelledVector[]): number | undefined {
  const distances = new Map<string, number[]>();
  for (const other of vectors) {
    if (other.workload === vector.workload && other.configuration === vector.configuration) continue;
    const known = distances.get(other.workload) ?? [];
    distances.set(other.workload, known);
    known.push(1 - cosine(vector, other));
  }
  const own = distances.get(vector.workload);
  distances.delete(vector.workload);
  if (own === undefined || distances.size === 0) return undefined;
  const a = meanOf(own);
  const b = Math.min(...[...distances.values()].map(meanOf));
  return Math.max(a, b) === 0 ? 0 : (b - a) / Math.max(a, b);
}

export function cosine(a: LabelledVector, b: LabelledVector): number {
  return a.values.reduce((sum, value, at) => sum + value * (b.values[at] as number), 0);
}

/** Of at least one; sorts what it is given. */
export function summaryOf(cosines: number[]): CosineSummary | undefined {
  if (cosines.length === 0) return undefined;
  cosines.sort((a, b) => a - b);
  return {
    pairs: cosines.length,
    low: quantile(cosines, 0.05),
    median: quantile(cosines, 0.5),
    high: quantile(cosines, 0.95),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: V });
}
