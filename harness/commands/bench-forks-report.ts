// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../core/ids.ts';
import type { TrialRecord } from '../core/trial.ts';

/** One pass over trials: wall time from the first to the last, snapshots included. */
export interface Phase {
  readonly seconds: number;
  readonly trials: number;
  readonly completed: number;
}

/** What `pmvx bench forks --json` prints. */
export interface ForkBench {
  readonly v: 1;
  readonly spec: string;
  /** Machines at once. */
  readonly jobs: number;
  readonly processor: string;
  readonly trials: number;
  readonly policies: number;
  /** All trials from snapshots, which are made within this time. */
  readonly forks: Phase;
  /** All trials booted, each machine with all candidates, as `counterfactual: boot` does. */
  readonly boots: Phase;
  /** Some trials booted with their own policy as the only candidate. */
  readonly own?: Phase;
  /** Trials whose fork and boot gave the same record, transcript included. */
  readonly same: number;
}

export function formatForkBench({
  spec,
  jobs,
  trials,
  policies,
  forks,
  boots,
  own,
  same,
  processor,
}: ForkBench): string[] {
  return [
    `${spec}: ${trials} trials of ${policies} policies, ${jobs} at once, ${processor}`,
    line('forks', forks, 'snapshots included'),
    line('boots', boots, `each machine prepares all ${policies} policies`),
    `  boots take ${(boots.seconds / forks.seconds).toFixed(1)} times as long as forks`,
    ...(own === undefined ? [] : [line('own boots', own, 'each machine prepares its own policy only')]),
    ...(own === undefined || own.trials === trials
      ? []
      : [`  own boots are a part of the trials: compare seconds a trial`]),
    `  ${same} of ${trials} trials gave the same record as fork and as boot, to the last byte of the transcript`,
  ];
}

function line(name: string, { seconds, trials, completed }: Phase, what: string): string {
  const each = (seconds / trials).toFixed(2);
  const lost = completed === trials ? '' : `; only ${completed} completed`;
  return `  ${name.padEnd(9)} ${seconds.toFixed(1).padStart(8)} s  ${trials} trials, ${each} s each  (${what}${lost})`;
}

/** How many trials have equal records in both passes, but for what belongs to the host. */
export function sameResults(a: readonly TrialRecord[], b: readonly TrialRecord[]): number {
  const facts = ({ host: _, ...record }: TrialRecord) => canonicalJson(record);
  const others = new Map(b.map((record) => [record.trial, facts(record)]));
  return a.filter((record) => others.get(record.trial) === facts(record)).length;
}
