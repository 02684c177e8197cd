// SPDX-License-Identifier: Apache-2.0

/** One run of mock trials on the local Slurm cluster, a block a task, one trial at a time. */
export interface ClusterRun {
  readonly nodes: number;
  readonly slotsANode: number;
  readonly blocks: number;
  readonly trialsABlock: number;
  readonly trialMs: number;
  readonly pollMs: number;
  /** Of the whole command, from its start to its end, s. */
  readonly wallSeconds: number;
  /** As `sacct` tells them: whole seconds since 1970. */
  readonly tasks: readonly ClusterTask[];
}

export interface ClusterTask {
  readonly id: string;
  readonly job: string;
  readonly submitS: number;
  readonly startS: number;
  readonly endS: number;
  readonly node: string;
}

/** What `measure.ts` writes. */
export interface Measured {
  readonly processor: string;
  readonly cores: number;
  /** Mean number of runnable processes of the last minute, before anything was measured. */
  readonly loadBefore: number;
  /** Records written one after another, each on disk before the next, s. */
  readonly record: { readonly records: number; readonly seconds: number };
  readonly cluster: readonly ClusterRun[];
}
