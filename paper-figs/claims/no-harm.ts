// SPDX-License-Identifier: Apache-2.0
import type { WorkloadClass } from '../../harness/core/workload.ts';
import { type Asked, againstBound, answerWords, costWords, ratioOf } from './against-bound.ts';
import { chosenWords, costOf, type Selected, selectionOf } from './class-gain.ts';
import { type Evidence, type Finding, notRun, percent } from './finding.ts';
import { armOver, type ReplayFigures } from './replay-figures.ts';

export interface NoHarm {
  readonly experiment: string;
  readonly classes: readonly WorkloadClass[];
  /** Most that a workload may lose, as a share of its cost. */
  readonly margin: number;
  /** Where the daemon ran, which has a cost of its own. */
  readonly replays: readonly string[];
}

/** A question, and how a sentence begins that answers it. */
interface Named {
  readonly name: string;
  readonly about: string;
  readonly asked: Asked;
}

/**
 * Reproduced: on every workload of these classes for which another policy than the baseline was chosen its cost surely is below 1 + margin, none failed, and so
 * is the daemon's over EEVDF in every phase of the replays in which no policy surely beats EEVDF. Where EEVDF was chosen it is compared with itself: such
 * blocks are no evidence, and what a selector costs there only the daemon shows. Partly: on most
 * workloads, and nothing is surely harmed.
 */
export function noHarm(test: NoHarm, { runs, classes, replays }: Evidence): Finding {
  const run = runs.get(test.experiment);
  if (run === undefined) return notRun([test.experiment]);
  const { baseline } = run.spec;
  const selected = selectionOf(run, test.margin).filter(({ situation }) => {
    const own = classes.get(situation.workload);
    return own !== undefined && test.classes.includes(own);
  });
  const itself = selected.filter((each) => isItself(each, baseline));
  const chosen = selected
    .filter((each) => !itself.includes(each))
    .map((each) => chosenOf(each, baseline, classes.get(each.situation.workload) as string));
  const missing = test.replays.filter((name) => replays?.has(name) !== true);
  const phases = test.replays.flatMap((name) => {
    const replay = replays?.get(name);
    return replay === undefined ? [] : daemonPhases(name, replay, test.margin);
  });
  if (selected.length + phases.length === 0) return notRun([test.experiment]);
  const selection = judge(chosen, 1 + test.margin);
  const daemon = judge(phases, 1 + test.margin);
  const daemonWords =
    test.replays.length === 0
      ? ''
      : `; the daemon's own cost surely is as small in ${daemon.held} of ${phases.length} phases of replays in which no policy surely beats EEVDF`;
  const because = [
    `${selection.held} of ${chosen.length} workloads of the classes ${test.classes.join(', ')} for which a policy was chosen surely lose less than ${percent(test.margin)}; for ${itself.length} more the choice was ${baseline}, compared with itself: no evidence${daemonWords}`,
    ...selection.because,
    ...daemon.because,
    ...missing.map((name) => `no replay of ${name}: run pmvx replay first`),
  ];
  const all = [selection.held === chosen.length, daemon.held === phases.length, missing.length === 0];
  const reproduced =
    chosen.length > 0 && (test.replays.length === 0 || phases.length > 0) && all.every(Boolean);
  const most = selection.held > chosen.length / 2 && !selection.harm && !daemon.harm;
  return {
    verdict:
      chosen.length + phases.length === 0
        ? 'not judged'
        : reproduced
          ? 'reproduced'
          : most
            ? 'partly'
            : 'not reproduced',
    because,
    numbers: {
      ...selection.numbers,
      ...daemon.numbers,
      workloads: chosen.length,
      within: selection.held,
      without_evidence: itself.length,
      daemon_phases: phases.length,
      daemon_within: daemon.held,
    },
  };
}

/** The baseline alone was chosen, and it completed: what is compared is one and the same record. */
function isItself({ choices, situation }: Selected, baseline: string): boolean {
  const failures = situation.without.length / (choices.length + situation.without.length);
  return choices.length > 0 && choices.every(({ policy }) => policy === baseline) && failures <= 0.1;
}

function chosenOf({ situation, choices, cost }: Selected, baseline: string, own: string): Named {
  const others = choices.filter(({ policy }) => policy !== baseline);
  const words = choices.length === 0 ? 'nothing could be chosen' : `chosen: ${chosenWords(choices)}`;
  return {
    name: situation.workload,
    about: `${situation.workload} (${own}), ${words}`,
    asked: { ...costOf(others, situation), ...(cost.drifts === undefined ? {} : { drifts: cost.drifts }) },
  };
}

/** The daemon's cost in the phases where EEVDF is as good as any policy that the replay has. */
function daemonPhases(name: string, replay: ReplayFigures, margin: number): Named[] {
  const of = (arm: string, at: number) => armOver(replay, arm, 'eevdf', (costs) => costs[at] as number);
  const statics = replay.arms.filter(({ kind }) => kind === 'static');
  const family = replay.phases.flatMap((_, at) => statics.map(({ id }) => of(id, at)));
  const beats = againstBound(family, 1 / (1 + margin)).map((answer) => answer === 'below');
  return replay.phases.flatMap((phase, at) => {
    if (beats.slice(at * statics.length, (at + 1) * statics.length).some(Boolean)) return [];
    const about = `the daemon in the replay ${name}, phase ${phase}`;
    return [{ name: `${name}_${phase}`, about, asked: of('auto', at) }];
  });
}

function judge(questions: readonly Named[], bound: number) {
  const answers = againstBound(
    questions.map(({ asked }) => asked),
    bound,
  );
  const numbers: Record<string, number> = {};
  for (const { name, asked } of questions) {
    const ratio = ratioOf(asked);
    if (ratio.kind !== 'none') numbers[`${name}_cost`] = ratio.ratio;
    if (ratio.kind === 'interval') numbers[`${name}_cost_high`] = ratio.high;
  }
  return {
    held: answers.filter((answer) => answer === 'below').length,
    harm: answers.includes('above'),
    because: questions.map(
      ({ about, asked }, at) =>
        `${about}: cost ${costWords(asked)} of EEVDF's, ${answerWords(answers[at] ?? 'open', bound)}${failureWords(asked)}`,
    ),
    numbers,
  };
}

function failureWords({ failures = 0 }: Asked): string {
  return failures === 0 ? '' : `; ${failures} blocks in which one of the two did not complete`;
}
