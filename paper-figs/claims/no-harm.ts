// SPDX-License-Identifier: Apache-2.0
import type { WorkloadClass } from '../../harness/core/workload.ts';
import { chosenWords, selectionOf } from './class-gain.ts';
import { type Evidence, type Finding, notRun, percent } from './finding.ts';

export interface NoHarm {
  readonly experiment: string;
  readonly classes: readonly WorkloadClass[];
  /** Most that a workload may lose, as a share of its cost. */
  readonly margin: number;
}

/**
 * Reproduced: on every workload of these classes the upper end of the interval of cost under the chosen policy over cost under the baseline is
 * below 1 + margin (a one-sided non-inferiority test), and no chosen policy failed. Partly: on most of them.
 */
export function noHarm(test: NoHarm, { runs, classes }: Evidence): Finding {
  const run = runs.get(test.experiment);
  if (run === undefined) return notRun([test.experiment]);
  const because: string[] = [];
  const numbers: Record<string, number> = {};
  let held = 0;
  let judged = 0;
  for (const { situation, choices, ratio, failures } of selectionOf(run, test.margin)) {
    const own = classes.get(situation.workload);
    if (own === undefined || !test.classes.includes(own) || ratio.kind !== 'interval') continue;
    judged++;
    const holds = ratio.high < 1 + test.margin && failures === 0;
    if (holds) held++;
    numbers[`${situation.workload}_cost`] = ratio.ratio;
    numbers[`${situation.workload}_cost_high`] = ratio.high;
    const words = holds ? 'within the margin' : 'not shown to be within the margin';
    because.push(
      `${situation.workload} (${own}): cost ${ratio.ratio.toFixed(3)} of ${run.spec.baseline}'s, at most ${ratio.high.toFixed(3)}, ${words}; chosen: ${chosenWords(choices)}`,
    );
  }
  if (judged === 0) return notRun([test.experiment]);
  numbers.workloads = judged;
  numbers.within = held;
  because.unshift(
    `${held} of ${judged} workloads of the classes ${test.classes.join(', ')} lose less than ${percent(test.margin)} under the chosen policy`,
  );
  const verdict = held === judged ? 'reproduced' : held > judged / 2 ? 'partly' : 'not reproduced';
  return { verdict, because, numbers };
}
