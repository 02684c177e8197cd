// SPDX-License-Identifier: Apache-2.0
import type { Interval } from '../../stats/bootstrap-mean.ts';
import type { Comparison } from './compare-methods.ts';
import type { Held } from './judge-picks.ts';

/** A table of pickers for people, in Markdown. */
export function formatComparison(comparisons: readonly Comparison[]): string[] {
  const [first] = comparisons;
  if (first === undefined) return [];
  const { situations, workloads, flat } = first.verdict;
  return [
    `${situations} situations of ${workloads} workloads; each picker knows all of them but those of the workload that it is judged on. Intervals are 95 % BCa bootstraps over workloads.`,
    '',
    '| picker | regret to the oracle: mean | geometric mean | median | cost over EEVDF | cost over the best single policy | top 3 | top 3, or equal within 1 % | no worse than EEVDF by 1 % | worse at all | left alone | failed | worst where scheduling cannot help | upper ends that held (asked: 75 %): of all | given a recommendation |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...comparisons.map(({ picker, verdict, overStatic }) => {
      const cells = [
        picker,
        percent(verdict.regret),
        percent(verdict.geometricRegret),
        percent(verdict.medianRegret),
        `${percent(verdict.gain)}${interval(verdict.gainInterval)}`,
        `${percent(overStatic.ratio)}${interval(overStatic.interval)}`,
        share(verdict.top3),
        share(verdict.top3OrEqual),
        share(verdict.noWorse),
        share(verdict.strictlyWorse),
        share(verdict.abstained),
        share(verdict.failed),
        verdict.worstWhereFlat === undefined ? '-' : percent(verdict.worstWhereFlat),
        heldWords(verdict.held),
        heldWords(verdict.heldGiven),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
    flat === 0
      ? 'In every situation some policy is better than EEVDF by more than 2 %.'
      : `Scheduling cannot help in ${flat} situations: there no policy is better than EEVDF by more than 2 %.`,
  ];
}

function heldWords({ held, of }: Held): string {
  return of === 0 ? '-' : `${held} of ${of}`;
}

function percent(value: number): string {
  const shown = (100 * value).toFixed(1);
  return `${value > 0 ? '+' : ''}${shown} %`;
}

function interval(found: Interval | undefined): string {
  return found === undefined ? '' : ` (${percent(found.low)} to ${percent(found.high)})`;
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
