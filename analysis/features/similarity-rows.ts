// SPDX-License-Identifier: Apache-2.0

import { quantile } from '../stats/quantile.ts';
import { cosine, type LabelledVector } from './separation.ts';

/** A pair of vectors of one workload in two configurations. */
export interface OwnPair {
  readonly workload: string;
  readonly pair: string;
  readonly cosine: number;
}

/** Cosines of a workload's vectors to those of all others: 5th, 50th and 95th percentile. */
export interface OthersSummary {
  readonly workload: string;
  readonly pairs: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export interface SimilarityRows {
  readonly own: readonly OwnPair[];
  readonly others: readonly OthersSummary[];
}

/** How alike a workload is to itself in other configurations, and to other workloads. Workloads by name; pairs of one configuration (other seeds) are left out. */
export function similarityRows(vectors: readonly LabelledVector[]): SimilarityRows {
  const groups = [...Map.groupBy(vectors, ({ workload }) => workload)].sort(([a], [b]) => (a < b ? -1 : 1));
  const own = groups.flatMap(([workload, mine]) =>
    mine.flatMap((a, at) =>
      mine
        .slice(at + 1)
        .filter(({ configuration }) => configuration !== a.configuration)
        .map((b) => ({ workload, pair: `${a.configuration} / ${b.configuration}`, cosine: cosine(a, b) })),
    ),
  );
  const others = groups.flatMap(([workload, mine]) => {
    const cosines = mine
      .flatMap((a) => vectors.filter((b) => b.workload !== workload).map((b) => cosine(a, b)))
      .sort((a, b) => a - b);
    if (cosines.length === 0) return [];
    const at = (share: number) => quantile(cosines, share);
    return [{ workload, pairs: cosines.length, low: at(0.05), median: at(0.5), high: at(0.95) }];
  });
  return { own, others };
}
