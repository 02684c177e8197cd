// SPDX-License-Identifier: Apache-2.0
import type { WorkloadClass } from '../../harness/core/workload.ts';
import { type Answer, type Asked, againstBound, ratioOf } from './against-bound.ts';
import { chosenWords, overBlocks, overWorkloads, selectionOf } from './class-gain.ts';
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
 * Performance is 1 / cost. A class holds when the policies chosen without the judging block surely gain at least `gain` over the baseline, both over
 * blocks (other seeds of these workloads) and over workloads (others of the class), and none of the class failed. Reproduced: every class holds.
 * Partly: some do.
 */
export function selectionGains(test: SelectionGains, { runs, classes }: Evidence): Finding {
  const run = runs.get(test.experiment);
  if (run === undefined) return notRun([test.experiment]);
  const selected = selectionOf(run, test.margin);
  const groups = test.classes.map((name) => {
    const mine = selected.filter(({ situation }) => classes.get(situation.workload) === name);
    return { name, mine, seeds: overBlocks(mine), workloads: overWorkloads(mine) };
  });
  if (groups.every(({ seeds }) => seeds.logs.length < 2 && seeds.failures === 0)) {
    return notRun([test.experiment]);
  }
  const bound = 1 / (1 + test.gain);
  const bySeeds = againstBound(
    groups.map(({ seeds }) => seeds),
    bound,
  );
  const byWorkloads = againstBound(
    groups.map(({ workloads }) => workloads),
    bound,
  );
  const numbers: Record<string, number> = {};
  let held = 0;
  const because = groups.flatMap(({ name, mine, seeds, workloads }, at) => {
    const answers = [bySeeds[at], byWorkloads[at]] as [Answer, Answer];
    const failures = mine.reduce((sum, { cost }) => sum + (cost.failures ?? 0), 0);
    if (answers.every((answer) => answer === 'below') && failures === 0) held++;
    Object.assign(numbers, gainNumbers(name, seeds), gainNumbers(`${name}_workloads`, workloads), {
      [`${name}_blocks`]: seeds.logs.length,
      [`${name}_failures`]: failures,
    });
    const failed =
      failures === 0 ? '' : `; in ${failures} blocks the chosen policy or ${run.spec.baseline} failed`;
    return [
      `${name}: ${gainWords(seeds)} more performance than ${run.spec.baseline} over ${seeds.logs.length} blocks of seeds: ${words(answers[0], test.gain, 'blocks')}; over its ${workloads.logs.length} workloads ${gainWords(workloads)}: ${words(answers[1], test.gain, 'workloads')}${failed}`,
      ...mine.map(({ situation, choices, cost }) => {
        const chosen = choices.length === 0 ? 'nothing could be chosen' : `chosen: ${chosenWords(choices)}`;
        return `${situation.workload}: ${gainWords(cost)}, ${chosen}`;
      }),
    ];
  });
  const all = held === test.classes.length;
  because.unshift(
    `in ${held} of ${test.classes.length} classes the gain surely is at least ${percent(test.gain)} both over seeds and over workloads`,
  );
  return { verdict: all ? 'reproduced' : held > 0 ? 'partly' : 'not reproduced', because, numbers };
}

function gainNumbers(name: string, asked: Asked): Record<string, number> {
  const ratio = ratioOf(asked);
  if (ratio.kind === 'none') return {};
  const gain = { [`${name}_gain`]: 1 / ratio.ratio - 1 };
  if (ratio.kind === 'point') return gain;
  return { ...gain, [`${name}_gain_low`]: 1 / ratio.high - 1, [`${name}_gain_high`]: 1 / ratio.low - 1 };
}

/** `52.5 % (95 % interval 45.3 % to 60.0 %)`. */
function gainWords(asked: Asked): string {
  const ratio = ratioOf(asked);
  if (ratio.kind === 'none') return 'an unknown gain';
  const gain = percent(1 / ratio.ratio - 1);
  if (ratio.kind === 'point') return `${gain} (no interval)`;
  return `${gain} (95 % interval ${percent(1 / ratio.high - 1)} to ${percent(1 / ratio.low - 1)})`;
}

function words(answer: Answer, gain: number, units: 'blocks' | 'workloads'): string {
  switch (answer) {
    case 'below':
      return `surely at least ${percent(gain)}`;
    case 'above':
      return `surely less than ${percent(gain)}`;
    case 'open':
      return `${percent(gain)} is not shown`;
    case 'too few blocks':
      return `too few ${units} to tell`;
    case 'fails':
      return `too many ${units} failed`;
  }
}
