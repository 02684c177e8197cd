// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineName, TrialState } from '../core/trial.ts';
import { readRun, type StoredRun } from './run-folder.ts';
import { isRunLocked } from './run-lock.ts';
import { storageFault } from './storage-fault.ts';

/** One run in a few figures; one that cannot be read is listed with its fault. */
export type RunSummary =
  | {
      readonly id: string;
      readonly folder: string;
      readonly name: string;
      readonly engine: EngineName;
      readonly createdAt: string;
      readonly planned: number;
      readonly recorded: number;
      /** Recorded trials by state; only states that occur. */
      readonly states: Readonly<Partial<Record<TrialState, number>>>;
      /**
       * `running`: a controller holds the run; `complete`: every planned trial is recorded; otherwise
       * `stopped`.
       */
      readonly progress: 'running' | 'complete' | 'stopped';
    }
  | { readonly id: string; readonly folder: string; readonly fault: string };

/** Every run in `runs` (`results/runs`), oldest first, unreadable ones last. No such folder means no runs. */
export async function listRuns(runs: string): Promise<RunSummary[]> {
  const ids = await runIds(runs);
  const summaries = await Promise.all(ids.map((id) => summarise(id, join(runs, id))));
  return summaries.sort((a, b) => compare(sortKey(a), sortKey(b)) || compare(a.id, b.id));
}

/** Names of the folders in `runs`. */
export async function runIds(runs: string): Promise<string[]> {
  try {
    const entries = await readdir(runs, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw storageFault(error, 'list the runs', runs);
  }
}

/** A line a run for `pmvx list runs`, aligned. */
export function formatRuns(summaries: readonly RunSummary[]): string[] {
  if (summaries.length === 0) return ['no runs yet: ./pmvx quickstart makes the first'];
  const rows = summaries.map((run) =>
    'fault' in run
      ? [run.id, '-', '-', '-', run.fault]
      : [run.id, run.engine, run.createdAt.slice(0, 16).replace('T', ' '), run.progress, trialsOf(run)],
  );
  const table = [['run', 'engine', 'created (UTC)', 'progress', 'trials'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function trialsOf(run: Exclude<RunSummary, { fault: string }>): string {
  const states = Object.entries(run.states).map(([state, count]) => `${count} ${state}`);
  return `${run.recorded} of ${run.planned}${states.length === 0 ? '' : ` (${states.join(', ')})`}`;
}

async function summarise(id: string, folder: string): Promise<RunSummary> {
  let run: StoredRun;
  try {
    run = await readRun(folder);
  } catch (error) {
    return { id, folder, fault: error instanceof Error ? error.message : String(error) };
  }
  const states: Partial<Record<TrialState, number>> = {};
  for (const { state } of run.records) states[state] = (states[state] ?? 0) + 1;
  const planned = run.plan.trials.length;
  const recorded = run.records.length;
  const running = await isRunLocked(folder);
  return {
    id,
    folder,
    name: run.spec.name,
    engine: run.spec.machine.engine,
    createdAt: run.provenance.createdAt,
    planned,
    recorded,
    states,
    progress: running ? 'running' : recorded === planned ? 'complete' : 'stopped',
  };
}

function sortKey(run: RunSummary): string {
  return 'fault' in run ? '~' : run.createdAt;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
