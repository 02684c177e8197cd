// SPDX-License-Identifier: Apache-2.0
import { situationsOf } from '../../analysis/selection/cost-cells.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { type Answer, beyondMargin, costWords } from './against-bound.ts';
import { costOf, driftsOf } from './class-gain.ts';
import { type Evidence, type Finding, notRun, percent } from './finding.ts';

export interface OtherSubsystems {
  readonly experiment: string;
  /** Least difference that counts, as a share of the cost. */
  readonly margin: number;
}

/**
 * Reproduced: in each of the kernel's parts that ships settings besides scheduling (memory, io, network), every completed trial has the kernel's word that
 * its settings took, held and were put back, and at least one setting surely changes a workload's cost by more than the margin, all settings on all
 * workloads being one family of tests. Partly: in some of them. Not judged: all are proven, and none has blocks enough for its effect.
 */
export function otherSubsystems(test: OtherSubsystems, { runs, policies }: Evidence): Finding {
  const run = runs.get(test.experiment);
  if (run === undefined || run.records.length === 0) return notRun([test.experiment]);
  const subsystemOf = (policy: string) => policies.get(policy)?.subsystem;
  const subsystems = [
    ...new Set(
      [...policies.values()].flatMap(({ kind, subsystem }) =>
        kind === 'knob' && subsystem ? [subsystem] : [],
      ),
    ),
  ]
    .filter((name) => name !== 'sched')
    .sort();
  const drifts = driftsOf(run);
  const questions = situationsOf(run.records, run.spec.baseline).flatMap((situation) =>
    [...Map.groupBy(situation.cells, ({ policy }) => policy)]
      .filter(([policy]) => subsystems.includes(subsystemOf(policy) ?? ''))
      .map(([policy, cells]) => ({
        policy,
        workload: situation.workload,
        asked: { ...costOf(cells, situation), drifts },
      })),
  );
  const answers = beyondMargin(
    questions.map(({ asked }) => asked),
    test.margin,
  );
  const judged = questions.map((question, at) => ({ ...question, answer: answers[at] as Answer }));
  const parts = subsystems.map((subsystem) => {
    const trials = run.records.filter(
      ({ policy, state }) => subsystemOf(policy) === subsystem && state === 'completed',
    );
    const proven = trials.filter(isProven).length;
    const own = judged.filter(({ policy }) => subsystemOf(policy) === subsystem);
    const effects = own.filter(({ answer }) => answer === 'below' || answer === 'above');
    const few = own.length > 0 && own.every(({ answer }) => answer === 'too few blocks');
    return { subsystem, trials: trials.length, proven, own, effects, few };
  });
  const isDone = ({ trials, proven }: (typeof parts)[number]) => trials > 0 && proven === trials;
  const held = parts.filter((part) => isDone(part) && part.effects.length > 0).length;
  const undecided = parts.length > 0 && parts.every((part) => isDone(part) && part.few);
  const all = held === parts.length && held > 0;
  return {
    verdict: all ? 'reproduced' : held > 0 ? 'partly' : undecided ? 'not judged' : 'not reproduced',
    because: [
      `in ${held} of ${parts.length} subsystems settings are proven and one surely changes a cost by more than ${percent(test.margin)} (one family of ${questions.length} tests)`,
      ...parts.map(({ subsystem, trials, proven, own, effects, few }) => {
        const largest = largestOf(effects.length > 0 ? effects : own);
        const most = largest && `${largest.policy} on ${largest.workload}: cost ${costWords(largest.asked)}`;
        const effect =
          effects.length > 0
            ? `${effects.length} effects beyond the margin, the largest ${most}`
            : few
              ? `too few blocks to tell; the largest difference is ${most}`
              : `no setting surely changes a cost by more than the margin${most === undefined ? '' : `; the largest difference is ${most}`}`;
        return `${subsystem}: ${proven} of ${trials} trials proven (set, held, put back); ${effect}`;
      }),
    ],
    numbers: Object.fromEntries([
      ['tests', questions.length],
      ...parts.flatMap(({ subsystem, trials, proven, effects }) => [
        [`${subsystem}_trials`, trials],
        [`${subsystem}_proven`, proven],
        [`${subsystem}_effects`, effects.length],
      ]),
    ]),
  };
}

function largestOf<T extends { readonly asked: { readonly logs: readonly number[] } }>(
  questions: readonly T[],
): T | undefined {
  const size = ({ asked: { logs } }: T) =>
    logs.length === 0 ? -1 : Math.abs(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  return questions.toSorted((a, b) => size(b) - size(a))[0];
}

/** The kernel read back what was set, at the start and at the end, and what was there before in the end. */
function isProven({ schedBefore, schedAfter }: TrialRecord): boolean {
  const [before, after] = [schedBefore?.knobs ?? [], schedAfter?.knobs ?? []];
  return (
    before.length > 0 &&
    after.length === before.length &&
    after.every((knob, at) => knob.value === before[at]?.value && knob.restored === knob.before)
  );
}
