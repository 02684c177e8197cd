// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import type { Engine } from '../lab/engine.ts';
import { runTrials } from '../run/controller.ts';
import type { Forked, ForkingLab } from './forking-lab.ts';
import { type Question, trialsOf } from './question.ts';

/** A trial of a question that has ended. */
export interface ForkedTrial extends Forked {
  readonly planned: PlannedTrial;
  readonly record: TrialRecord;
  /** Holds its console, logs and traces. */
  readonly folder: string;
}

/**
 * Lets every policy of a question live on from every state, and judges each trial as a run would. In the order of `trialsOf`. Throws
 * the signal's reason when stopped.
 */
export async function forkTrials(
  question: Question,
  lab: ForkingLab,
  signal: AbortSignal,
  switches?: string,
): Promise<readonly ForkedTrial[]> {
  const trials = trialsOf(question);
  const forks = new Map<string, Forked & { readonly folder: string }>();
  const engine: Engine = {
    name: question.machine.engine,
    async runTrial(orders, machine, folder, stop) {
      const traced = switches === undefined ? {} : { switches };
      const forked = await lab.fork({ orders, machine, folder, signal: stop, ...traced });
      // A second attempt replaces the first.
      forks.set(orders.trial, { ...forked, folder });
      return forked.outcome;
    },
  };
  const records: TrialRecord[] = [];
  const end = await runTrials({
    run: 'question',
    spec: specOf(question),
    trials,
    catalog: lab.catalog,
    engine,
    log: { records, append: (record) => void records.push(record) },
    consoles: lab.consoles,
    jobs: lab.jobs,
    signal,
    watch: lab.watch ?? (() => undefined),
  });
  if (end === 'interrupted' || signal.aborted) throw signal.reason;
  return trials.map((planned) => {
    const forked = forks.get(planned.trial);
    const record = records.find(({ trial }) => trial === planned.trial);
    if (forked === undefined || record === undefined) throw new Error(`no record of trial ${planned.trial}`);
    return { planned, record, ...forked };
  });
}

/** The controller asks a spec for its machine, its policies and when to stop. */
function specOf({ image, machine, workload, point, policies, baseline, states }: Question): Spec {
  return {
    name: 'question',
    image,
    machine,
    policies: [...new Set(policies)],
    workloads: [workload],
    counterfactual: 'fork',
    points: [point],
    seeds: { base: 0, count: states.length },
    order: 'listed',
    baseline,
    controls: [],
    stop: { rule: 'fixed' },
  };
}
