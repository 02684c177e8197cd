// SPDX-License-Identifier: Apache-2.0
import { situationsOf } from '../../analysis/selection/cost-cells.ts';
import { pairedRatio } from '../../analysis/stats/paired-ratio.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { type Evidence, type Finding, notRun } from './finding.ts';

export interface OtherSubsystems {
  readonly experiment: string;
  /** Least difference that counts, as a share of the cost. */
  readonly margin: number;
}

/**
 * Reproduced: in each of the kernel's parts that ships settings besides scheduling (memory, io, network), every completed trial has the kernel's word that
 * its settings took, held and were put back, and at least one setting changes a workload's cost by more than the margin, the interval excluding it. Partly:
 * in some of them.
 */
export function otherSubsystems(test: OtherSubsystems, { runs, policies }: Evidence): Finding {
  const run = runs.get(test.experiment);
  if (run === undefined || run.records.length === 0) return notRun([test.experiment]);
  const subsystems = [
    ...new Set(
      [...policies.values()].flatMap(({ kind, subsystem }) =>
        kind === 'knob' && subsystem ? [subsystem] : [],
      ),
    ),
  ]
    .filter((name) => name !== 'sched')
    .sort();
  const situations = situationsOf(run.records, run.spec.baseline);
  const because: string[] = [];
  const numbers: Record<string, number> = {};
  let held = 0;
  for (const subsystem of subsystems) {
    const mine = [...policies].flatMap(([id, policy]) => (policy.subsystem === subsystem ? [id] : []));
    const trials = run.records.filter(({ policy, state }) => mine.includes(policy) && state === 'completed');
    const proven = trials.filter(isProven).length;
    const effects = situations.flatMap((situation) =>
      mine.flatMap((policy) => {
        const pairs = situation.cells
          .filter((cell) => cell.policy === policy)
          .flatMap(({ logCost }) =>
            logCost === undefined ? [] : [{ value: Math.exp(logCost), baseline: 1 }],
          );
        const ratio = pairedRatio(pairs);
        if (ratio.kind !== 'interval') return [];
        const beyond = ratio.high < 1 - test.margin || ratio.low > 1 + test.margin;
        return beyond ? [{ policy, workload: situation.workload, ratio }] : [];
      }),
    );
    numbers[`${subsystem}_trials`] = trials.length;
    numbers[`${subsystem}_proven`] = proven;
    numbers[`${subsystem}_effects`] = effects.length;
    const largest = effects.toSorted(
      (a, b) => Math.abs(Math.log(b.ratio.ratio)) - Math.abs(Math.log(a.ratio.ratio)),
    )[0];
    const effect =
      largest === undefined
        ? 'no setting changes a cost by more than the margin'
        : `${effects.length} effects beyond the margin, the largest ${largest.policy} on ${largest.workload}: cost ${largest.ratio.ratio.toFixed(3)} (${largest.ratio.low.toFixed(3)} to ${largest.ratio.high.toFixed(3)})`;
    because.push(
      `${subsystem}: ${proven} of ${trials.length} trials proven (set, held, put back); ${effect}`,
    );
    if (trials.length > 0 && proven === trials.length && effects.length > 0) held++;
  }
  const verdict =
    held === subsystems.length && held > 0 ? 'reproduced' : held > 0 ? 'partly' : 'not reproduced';
  return { verdict, because, numbers };
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
