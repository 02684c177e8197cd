// SPDX-License-Identifier: Apache-2.0
import { type LabelledVector, type Separation, separationOf } from '../../analysis/features/separation.ts';
import { bootstrapMean } from '../../analysis/stats/bootstrap-mean.ts';
import { randomWords } from '../../analysis/stats/random.ts';
import { type Evidence, type Finding, notRun, percent } from './finding.ts';

export interface VectorsTellApart {
  /** Runs with probes, of the same workloads in several sizes and on machines of several sizes. */
  readonly experiments: readonly string[];
  /** Least share of vectors whose nearest vector of another configuration must be of their own workload. */
  readonly accuracy: number;
}

/**
 * Two conditions, each on vectors of EEVDF's trials alone. Nearest: for at least `accuracy` of the vectors, the nearest one among all *other configurations* is
 * of the same workload. Apart: the median cosine of two configurations of one workload is above the 95th percentile of that of two workloads. Reproduced: both;
 * partly: one. Workloads with one configuration are there to be confused with.
 */
export function vectorsTellApart(test: VectorsTellApart, { vectors }: Evidence): Finding {
  const missing = test.experiments.filter((name) => (vectors.get(name) ?? []).length === 0);
  if (missing.length > 0) return notRun(missing);
  const found = separationOf(
    test.experiments.flatMap((name): readonly LabelledVector[] => vectors.get(name) ?? []),
  );
  const { accuracy, within, between, silhouette, nearest } = found;
  const judged = nearest.filter(({ configurations }) => configurations > 1);
  // One workload has nothing to be told from, and one configuration nothing to be near to.
  if (accuracy === undefined || within === undefined || between === undefined || judged.length < 2) {
    return notRun(test.experiments);
  }
  const conditions = [accuracy >= test.accuracy, within.median > between.high];
  const held = conditions.filter(Boolean).length;
  const interval = bootstrapMean(
    judged.map(({ workload, counts }) => (counts.get(workload) ?? 0) / sumOf(counts)),
    0.95,
    randomWords(1, 'vectors'),
  )?.bca;
  const over =
    interval === undefined
      ? ''
      : ` (mean over workloads: 95 % interval ${percent(interval.low)} to ${percent(interval.high)})`;
  const because = [
    `the nearest vector of another configuration is the same workload's for ${percent(accuracy)}${over} of the vectors of ${judged.length} workloads in two configurations or more (asked: ${percent(test.accuracy)})`,
    `cosine of two configurations of one workload: median ${within.median.toFixed(2)}, 5 to 95 % of the pairs ${within.low.toFixed(2)} to ${within.high.toFixed(2)}; of two workloads: ${between.median.toFixed(2)}, ${between.low.toFixed(2)} to ${between.high.toFixed(2)}`,
    ...(silhouette === undefined ? [] : [`mean silhouette ${silhouette.toFixed(2)} (-1 to 1)`]),
    ...confusions(found),
  ];
  return {
    verdict: held === conditions.length ? 'reproduced' : held > 0 ? 'partly' : 'not reproduced',
    because,
    numbers: {
      vectors: found.vectors,
      workloads: found.workloads.length,
      judged_workloads: judged.length,
      accuracy,
      within_median: within.median,
      between_high: between.high,
      ...(silhouette === undefined ? {} : { silhouette }),
    },
  };
}

/** A sentence for each workload of which some vector lies nearest to another workload. */
function confusions({ nearest }: Separation): string[] {
  return nearest.flatMap(({ workload, counts }) => {
    const others = [...counts].filter(([other]) => other !== workload);
    if (others.length === 0) return [];
    const all = sumOf(counts);
    const words = others
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .map(([other, count]) => `${count} of ${all} lie nearest to ${other}`);
    return [`${workload}: ${words.join(', ')}`];
  });
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
