// SPDX-License-Identifier: Apache-2.0
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';
import { makeFolder, stableJson, syncFolder, writeAtomic } from './atomic-write.ts';
import { type LogContents, LogReader } from './log-lines.ts';
import { storedPlan, storedSpec } from './older-runs.ts';
import type { Provenance } from './provenance.ts';
import { lockRun, type RunLock } from './run-lock.ts';
import { storageFault } from './storage-fault.ts';
import { TrialLog } from './trial-log.ts';

/** Names of what a run's folder holds; `results/README.md` describes each. */
export const RUN_FILES = {
  spec: 'spec.json',
  plan: 'plan.json',
  provenance: 'provenance.json',
  log: 'trials.jsonl',
  csv: 'trials.csv',
  stop: 'stop.json',
  consoles: 'consoles',
} as const;

/** The part of a plan that the store relies on; whatever else a plan has is kept as well. */
export interface StoredPlan {
  readonly trials: readonly PlannedTrial[];
}

export interface RunDescription {
  readonly spec: Spec;
  readonly plan: StoredPlan;
  readonly provenance: Provenance;
}

/** A run that this process alone may write, until `close`. */
export interface OpenRun extends RunDescription {
  readonly folder: string;
  readonly log: TrialLog;
  /** What opening found and put right, in words for the user. */
  readonly notices: readonly string[];
  /** Closes the log and gives the lock back. */
  close(): Promise<void>;
}

/** What `stop.json` says: the run had enough after so many blocks, and runs no more. */
export interface EarlyEnd {
  readonly blocks: number;
}

/** A run as it was when it was read; nothing is changed or locked. The plan of one that had enough early ends there. */
export interface StoredRun extends RunDescription {
  readonly folder: string;
  readonly records: readonly TrialRecord[];
  readonly notices: readonly string[];
}

/**
 * Makes `folder` a run. It must not exist or be empty; `provenance.json` is written last, and marks the run as
 * created.
 */
export async function createRun(folder: string, described: RunDescription): Promise<OpenRun> {
  await claimFolder(folder);
  const lock = await lockRun(folder);
  try {
    await makeFolder(join(folder, RUN_FILES.consoles));
    await writeAtomic(join(folder, RUN_FILES.spec), stableJson(described.spec));
    await writeAtomic(join(folder, RUN_FILES.plan), stableJson(described.plan));
    const log = await TrialLog.open(join(folder, RUN_FILES.log));
    await writeAtomic(join(folder, RUN_FILES.provenance), stableJson(described.provenance));
    return openRunOf(folder, described, log, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Opens an existing run for more trials. A torn last line of the log is moved aside. */
export async function openRun(folder: string): Promise<OpenRun> {
  // Before the lock, so that a wrong path is reported as what it is.
  const described = await readDescription(folder);
  const lock = await lockRun(folder);
  try {
    const log = await TrialLog.open(join(folder, RUN_FILES.log));
    return openRunOf(folder, described, log, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Reads a run, also one in progress. Throws when a file is missing or damaged. `keep` is what of each record stays in memory: a large run
 * has more output than an analysis can hold.
 */
export async function readRun(
  folder: string,
  keep?: (record: TrialRecord) => TrialRecord,
): Promise<StoredRun> {
  const described = await readDescription(folder);
  const path = join(folder, RUN_FILES.log);
  const contents = await readLog(path, keep);
  const notices =
    contents.torn === undefined
      ? []
      : [`${path}: the last line is incomplete and was left out (${contents.torn.length} bytes)`];
  const early = await readEarlyEnd(folder);
  const plan = early === undefined ? described.plan : planUntil(described.plan, early);
  return { folder, ...described, plan, records: contents.records, notices };
}

function planUntil(plan: StoredPlan, { blocks }: EarlyEnd): StoredPlan {
  return { ...plan, trials: plan.trials.filter(({ block }) => block < blocks) };
}

/** Bytes at a time: a log may be larger than memory. */
const CHUNK = 4 * 1024 * 1024;

async function readLog(path: string, keep?: (record: TrialRecord) => TrialRecord): Promise<LogContents> {
  const reader = new LogReader(path, keep);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) reader.push(chunk as Buffer);
  } catch (error) {
    throw error instanceof PmvxError ? error : storageFault(error, 'read the trial log', path);
  }
  return reader.end();
}

async function readEarlyEnd(folder: string): Promise<EarlyEnd | undefined> {
  return existsSync(join(folder, RUN_FILES.stop)) ? readJson<EarlyEnd>(folder, RUN_FILES.stop) : undefined;
}

function openRunOf(folder: string, described: RunDescription, log: TrialLog, lock: RunLock): OpenRun {
  const { spec, plan, provenance } = described;
  const tookOver = lock.tookOver ? [`${lock.path}: taken over from a controller that no longer runs`] : [];
  const close = async (): Promise<void> => {
    await log.close();
    await lock.release();
  };
  return { folder, spec, plan, provenance, log, notices: [...tookOver, ...log.notices], close };
}

async function claimFolder(folder: string): Promise<void> {
  await makeFolder(dirname(folder));
  try {
    await mkdir(folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!exists) throw storageFault(error, 'create folder', folder);
    const entries = await readdir(folder).catch((inner: unknown) => {
      throw storageFault(inner, 'use folder', folder);
    });
    if (entries.length === 0) return;
    throw new PmvxError(ExitCode.usage, {
      where: folder,
      what: `the folder is not empty (${entries.length} entries)`,
      next: entries.includes(RUN_FILES.provenance)
        ? 'Continue that run with --resume, or choose another folder with --out'
        : 'Choose another folder with --out',
    });
  }
}

async function readDescription(folder: string): Promise<RunDescription> {
  // Alone and first: it was written last, so without it this is no run, whatever else is there.
  const provenance = await readJson<Provenance>(folder, RUN_FILES.provenance);
  const [spec, plan] = await Promise.all([
    readJson<Spec>(folder, RUN_FILES.spec),
    readJson<StoredPlan>(folder, RUN_FILES.plan),
  ]);
  return { spec: storedSpec(spec), plan: storedPlan(plan), provenance };
}

async function readJson<T>(folder: string, name: string): Promise<T> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new PmvxError(
      ExitCode.usage,
      {
        where: folder,
        what: `not a run: ${basename(path)} cannot be read`,
        next: 'pmvx list runs shows what there is',
      },
      { cause: error },
    );
  }
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new PmvxError(
      ExitCode.failure,
      { where: path, what: 'not valid JSON', next: 'Restore the file from a copy, or start the run anew' },
      { cause: error },
    );
  }
}
