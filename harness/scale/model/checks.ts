// SPDX-License-Identifier: Apache-2.0
import { longestPause, type Ran, ranTrials, spanOf, type TaskCosts } from './inputs.ts';
import type { ClusterRun } from './measured.ts';
import { type Site, simulate } from './scale-out.ts';

/** Committed runs of one machine, with the number of trials at a time. */
export const LOCAL_RUNS = [
  ['quickstart-20261201-174842', 2],
  ['matrix', 2],
  ['controls', 2],
  ['own-schedulers-20261126-025250', 1],
  ['paper-quick/booted', 2],
  ['paper-quick/forked', 2],
  ['paper-quick/selection', 2],
  ['paper-quick/settings', 2],
  ['paper-quick/vectors', 2],
  ['paper-quick/vectors-2', 2],
] as const;

/** A site that costs nothing but the trials: one machine. */
export function bare(slots: number): Site {
  const nothing = { queueSeconds: 0, launchSeconds: 0, taskSeconds: 0, prepareSeconds: 0, bootSeconds: 0 };
  const store = { distribution: 'none', cargoMib: 0, storeMibS: 1, linkMibS: 1, recordSeconds: 0 } as const;
  return { ...nothing, ...store, nodes: 1, coresANode: slots, slotsATask: slots };
}

export interface Check {
  readonly run: string;
  readonly trials: number;
  readonly atOnce: number;
  readonly measured: number;
  /** From the durations of the trials alone. */
  readonly predicted: number;
  /** With the longest pause of the run itself, which is taken from what is to be predicted: it checks the queue alone. */
  readonly withPause?: number;
}

/** What the model says of a run from what its trials took, and what the run took. */
export function checkLocal(run: string, atOnce: number, trials: readonly Ran[]): Check {
  const seconds = trials.map((trial) => trial.seconds);
  const predicted = simulate([seconds], bare(atOnce)).makespan;
  const withPause = predicted + longestPause(trials);
  return { run, trials: trials.length, atOnce, measured: spanOf(trials), predicted, withPause };
}

export function checkLocals(reference: string): Promise<Check[]> {
  return Promise.all(
    LOCAL_RUNS.map(async ([run, atOnce]) => checkLocal(run, atOnce, await ranTrials(reference, run))),
  );
}

/** The same for a run of mock trials on the local Slurm cluster, with costs of a task that another run gave. */
export function checkCluster(run: ClusterRun, costs: TaskCosts, recordSeconds: number): Check {
  const { nodes, slotsANode, blocks, trialsABlock, trialMs, wallSeconds } = run;
  const tasks = Array.from({ length: blocks }, () => new Array<number>(trialsABlock).fill(trialMs / 1000));
  const site = { ...bare(1), ...costs, recordSeconds, nodes, coresANode: slotsANode };
  const { makespan } = simulate(tasks, site);
  const name = `Slurm, ${nodes} nodes, ${blocks} tasks of ${trialsABlock} trials of ${trialMs} ms`;
  return {
    run: name,
    trials: blocks * trialsABlock,
    atOnce: nodes * slotsANode,
    measured: wallSeconds,
    predicted: makespan,
  };
}
