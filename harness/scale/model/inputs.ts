// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { deriveSeed } from '../../core/seed.ts';
import type { TrialRecord } from '../../core/trial.ts';
import { readLog } from '../../store/read-log.ts';
import type { ClusterRun, Measured } from './measured.ts';
import type { TaskTrials } from './scale-out.ts';

export const MATRIX = { workloads: 25, policies: 25, seeds: 20 } as const;
const SEED = 20261126;

/** Measured elsewhere, each with its source. */
export const BOOT_SECONDS = 20; // harness/lab/README.md: boot to fork point, 4 vCPUs, quantum 5000
export const IMAGE_MIB = 782; // du -sm of image `runtime` in a cache
export const SNAPSHOT_MIB = 205; // du -sm of a snapshot of its boot
/** Not measured: there was no network. 10 Gbit/s and 1 Gbit/s, without anything for protocols. */
export const FAST_MIB_S = 10e9 / 8 / 2 ** 20;
export const SLOW_MIB_S = 1e9 / 8 / 2 ** 20;

/** When a recorded trial ran, s; `start` counts from 1970. */
export interface Ran {
  readonly workload: string;
  readonly start: number;
  readonly seconds: number;
}

/** The trials of a committed run in the order in which they started. */
export async function ranTrials(reference: string, run: string): Promise<Ran[]> {
  const { records } = await readLog(join(reference, run, 'trials.jsonl'), (record: TrialRecord) => ({
    workload: record.workload,
    trial: record.trial,
    start: Date.parse(record.host.startedAt) / 1000,
    seconds: record.host.seconds,
  }));
  return records.toSorted((a, b) => a.start - b.start || a.trial.localeCompare(b.trial));
}

/** From the first start to the last end, s. */
export function spanOf(trials: readonly Ran[]): number {
  const starts = trials.map(({ start }) => start);
  const ends = trials.map(({ start, seconds }) => start + seconds);
  return Math.max(...ends) - Math.min(...starts);
}

/** The longest time between the first start and the last end in which no trial ran: proof and boot of the machine, s. */
export function longestPause(trials: readonly Ran[]): number {
  let [end, longest] = [Number.POSITIVE_INFINITY, 0];
  for (const { start, seconds } of trials.toSorted((a, b) => a.start - b.start)) {
    longest = Math.max(longest, start - end);
    end = end === Number.POSITIVE_INFINITY ? start + seconds : Math.max(end, start + seconds);
  }
  return longest;
}

/** Costs of one trial in a block under each workload: `[block][workload][policy]`, s. */
export type MatrixCosts = readonly (readonly (readonly number[])[])[];

/** A matrix whose costs are drawn, with replacement, from what trials of the same workload took; of the first workloads in alphabetical order. */
export function drawMatrix(
  trials: readonly Ran[],
  { workloads, policies, seeds }: typeof MATRIX,
): MatrixCosts {
  const pools = Map.groupBy(trials, ({ workload }) => workload);
  const names = [...pools.keys()].sort().slice(0, workloads);
  if (names.length < workloads) throw new Error(`${workloads} workloads asked, ${names.length} measured`);
  return Array.from({ length: seeds }, (_, block) =>
    names.map((name) => {
      const pool = pools.get(name) as Ran[];
      const draw = (policy: number) => deriveSeed(SEED, name, block, policy) % pool.length;
      return Array.from({ length: policies }, (_, policy) => (pool[draw(policy)] as Ran).seconds);
    }),
  );
}

/** What a task runs: a block; a workload of a block (`--split-blocks`); or one trial, which the product does not offer. */
export type UnitName = 'block' | 'workload of a block' | 'trial';

export function tasksOf(costs: MatrixCosts, unit: UnitName): TaskTrials[] {
  if (unit === 'block') return costs.map((block) => block.flat());
  const workloads = costs.flat();
  return unit === 'trial' ? workloads.flat().map((seconds) => [seconds]) : workloads.map((each) => [...each]);
}

/** What the batch system and tasks cost, of one run on the local cluster, s. */
export interface TaskCosts {
  readonly taskSeconds: number;
  /** All of the command in which no task ran. */
  readonly queueSeconds: number;
}

export function taskCosts({ tasks, trialsABlock, trialMs, wallSeconds }: ClusterRun): TaskCosts {
  const trials = (trialsABlock * trialMs) / 1000;
  const taskSeconds = mean(tasks.map(({ startS, endS }) => endS - startS - trials));
  const running = Math.max(...tasks.map(({ endS }) => endS)) - Math.min(...tasks.map(({ startS }) => startS));
  return { taskSeconds, queueSeconds: wallSeconds - running };
}

/** From the end of a task to the start of the next on its node, mean over all runs, s. */
export function launchSeconds({ cluster }: Measured): number {
  const gaps = cluster.flatMap(({ tasks }) =>
    [...Map.groupBy(tasks, ({ node }) => node).values()].flatMap((of) => {
      const inOrder = of.toSorted((a, b) => a.startS - b.startS);
      return inOrder
        .slice(1)
        .map(({ startS }, at) => startS - (inOrder[at] as (typeof inOrder)[number]).endS);
    }),
  );
  return mean(gaps);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
