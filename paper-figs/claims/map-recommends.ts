// SPDX-License-Identifier: Apache-2.0
import { BEST_SINGLE, compareMethods, METHODS } from '../../analysis/policy-map/evaluate/compare-methods.ts';
import type { Interval } from '../../analysis/stats/bootstrap-mean.ts';
import { againstBound } from './against-bound.ts';
import { type Evidence, type Finding, notRun, percent } from './finding.ts';

export interface MapRecommends {
  /** Run of many policies on many workloads. */
  readonly experiment: string;
  /** Run with probes of the same workloads on the same machine, which gives their vectors. */
  readonly vectors: string;
  /** Most that a recommendation may cost beyond the best policy's, as a mean share over workloads: 0.05 is 5 %. */
  readonly regret: number;
}

/** With fewer, hardly anything is left to learn from when one workload is left out. */
const LEAST_WORKLOADS = 5;

/**
 * The map that learnt both runs is asked about each workload after everything of that workload was left out, calibration too; it answers as `pmvx query` does,
 * and may abstain (EEVDF). Reproduced: the mean regret to the best policy surely is at most `regret`, over workloads; the cost surely is below EEVDF's and below the best
 * single policy's, by the tables' test over workloads; and no recommended policy failed. Partly: no failure, and a small regret or a surely lower cost than EEVDF's.
 */
export function mapRecommends(test: MapRecommends, { situations }: Evidence): Finding {
  const examples = situations.get(test.experiment) ?? [];
  const workloads = new Set(examples.map(({ workload }) => workload)).size;
  if (workloads < LEAST_WORKLOADS) return notRun([test.experiment, test.vectors]);
  // The first method is the one that maps use; the others are for whoever chooses methods.
  const comparisons = compareMethods(examples, METHODS.slice(0, 1));
  const [cautious, bold] = comparisons;
  if (cautious === undefined || bold === undefined) return notRun([test.experiment]);
  const { verdict, overStatic } = cautious;
  const fixed = comparisons.find(({ picker }) => picker === BEST_SINGLE)?.verdict.regret;
  const { regretInterval } = verdict;
  const small = regretInterval !== undefined && regretInterval.high <= test.regret;
  const [overEevdf, overOne] = againstBound(
    [verdict, overStatic].map(({ logCosts }) => ({ logs: logCosts })),
    1,
  );
  const better = overEevdf === 'below';
  const beatsStatic = overOne === 'below';
  const safe = verdict.failed === 0;
  const policies = new Set(examples.flatMap(({ costs }) => [...costs.keys()])).size;
  const because = [
    `on ${workloads} workloads, each left out in turn, the recommended policy costs ${percent(verdict.regret)} more than the best one on average${words(regretInterval)} (geometric mean ${percent(verdict.geometricRegret)}, median ${percent(verdict.medianRegret)}; asked: ${percent(test.regret)})`,
    `cost over EEVDF's: ${signed(verdict.gain)}${words(verdict.gainInterval)}; over the best single policy of the other workloads: ${signed(overStatic.ratio)}${words(overStatic.interval)}`,
    `surely cheaper, by the tables' test over workloads: than EEVDF ${better ? 'yes' : 'no'}, than that policy ${beatsStatic ? 'yes' : 'no'}`,
    `it abstained on ${percent(verdict.abstained)} of ${verdict.situations} situations, was no worse than EEVDF by 1 % on ${percent(verdict.noWorse)}, and its policy failed on ${percent(verdict.failed)}`,
    `taking the best estimate however unsure: regret ${percent(bold.verdict.regret)} (geometric mean ${percent(bold.verdict.geometricRegret)}), cost over EEVDF's ${signed(bold.verdict.gain)}${words(bold.verdict.gainInterval)}`,
    ...(fixed === undefined
      ? []
      : [
          `the best single policy of the other workloads, for all: regret ${percent(fixed)}; the smaller it is, the less these workloads can show what a map is worth`,
        ]),
    `the map holds ${examples.length} situations of ${policies} policies`,
  ];
  const all = small && better && beatsStatic && safe;
  const some = safe && (small || better);
  return {
    verdict: all ? 'reproduced' : some ? 'partly' : 'not reproduced',
    because,
    numbers: {
      workloads,
      policies,
      regret: verdict.regret,
      geometric_regret: verdict.geometricRegret,
      median_regret: verdict.medianRegret,
      over_eevdf: verdict.gain,
      over_static: overStatic.ratio,
      abstained: verdict.abstained,
      failed: verdict.failed,
      ...(fixed === undefined ? {} : { static_regret: fixed }),
      ...bounds('regret', regretInterval),
      ...bounds('over_eevdf', verdict.gainInterval),
      ...bounds('over_static', overStatic.interval),
    },
  };
}

function signed(share: number): string {
  return `${share > 0 ? '+' : ''}${percent(share)}`;
}

function words(interval: Interval | undefined): string {
  return interval === undefined
    ? ' (no interval)'
    : ` (95 % interval ${signed(interval.low)} to ${signed(interval.high)})`;
}

function bounds(name: string, interval: Interval | undefined): Record<string, number> {
  return interval === undefined ? {} : { [`${name}_low`]: interval.low, [`${name}_high`]: interval.high };
}
