// SPDX-License-Identifier: Apache-2.0
import type { WorkloadClass } from '../../harness/core/workload.ts';
import { chosenWords, classRatio, selectionOf } from './class-gain.ts';
import { type Evidence, type Finding, notRun, percent } from './finding.ts';

export interface SelectionGains {
  readonly experiment: string;
  readonly classes: readonly WorkloadClass[];
  /** Least gain that was claimed, as a share: 0.2 is 20 % more performance (or 1 / 1.2 of the time). */
  readonly gain: number;
  /** A policy is chosen only when it was better than the baseline by so much on the other blocks. */
  readonly margin: number;
}

/**
 * Performance is 1 / cost. Reproduced: in every class the policies chosen without the judging block gain at least `gain` over the baseline, the
 * interval excludes no gain, and no chosen policy failed. Partly: in some classes.
 */
export function selectionGains(test: SelectionGains, { runs, classes }: Evidence): Finding {
  const run = runs.get(test.experiment);
  if (run === undefined) return notRun([test.experiment]);
  const selected = selectionOf(run, test.margin);
  const because: string[] = [];
  const numbers: Record<string, number> = {};
  let reached = 0;
  for (const name of test.classes) {
    const mine = selected.filter(({ situation }) => classes.get(situation.workload) === name);
    const ratio = classRatio(mine, [name], classes);
    const failures = mine.reduce((sum, each) => sum + each.failures, 0);
    if (ratio.kind !== 'interval') {
      because.push(`${name}: no interval, for too few blocks completed`);
      continue;
    }
    const [gain, least, most] = [ratio.ratio, ratio.high, ratio.low].map((cost) => 1 / cost - 1);
    if (gain === undefined || least === undefined || most === undefined) continue;
    const holds = gain >= test.gain && least > 0 && failures === 0;
    if (holds) reached++;
    numbers[`${name}_gain`] = gain;
    numbers[`${name}_gain_low`] = least;
    numbers[`${name}_gain_high`] = most;
    numbers[`${name}_blocks`] = ratio.pairs;
    numbers[`${name}_failures`] = failures;
    const failed = failures === 0 ? '' : `; the chosen policy failed ${failures} times`;
    because.push(
      `${name}: ${percent(gain)} more performance than ${run.spec.baseline} (95 % interval ${percent(least)} to ${percent(most)}, ${ratio.pairs} blocks, ${mine.length} workloads)${failed}`,
    );
    for (const { situation, choices, ratio: own } of mine) {
      if (own.kind === 'none') continue;
      because.push(`${situation.workload}: ${percent(1 / own.ratio - 1)}, chosen: ${chosenWords(choices)}`);
    }
  }
  const verdict = reached === test.classes.length ? 'reproduced' : reached > 0 ? 'partly' : 'not reproduced';
  if (Object.keys(numbers).length === 0) return notRun([test.experiment]);
  return { verdict, because, numbers };
}
