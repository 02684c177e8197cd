// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { TrialRecord } from '../core/trial.ts';
import { makeFolder, removeHalfWritten, stableJson, syncFolder, writeAtomic } from './atomic-write.ts';
import { CHECKS_FILE, requireUnbroken } from './checks.ts';
import { NODES_FILE } from './nodes.ts';
import { PlannedRecords } from './planned-records.ts';
import { readLog } from './read-log.ts';
import {
  parseJson,
  type RunDescription,
  readDescription,
  requireRun,
  type StoredPlan,
  textsOf,
} from './run-description.ts';
import { lockRun, type RunLock } from './run-lock.ts';
import { DESCRIBED, formatSums, mendDescription, SUMS_FILE } from './run-sums.ts';
import { storageFault } from './storage-fault.ts';
import { TrialLog } from './trial-log.ts';

export type { RunDescription, StoredPlan } from './run-description.ts';

/** Names of what a run's folder holds; `results/README.md` describes each. */
export const RUN_FILES = {
  ...DESCRIBED,
  sums: SUMS_FILE,
  log: 'trials.jsonl',
  csv: 'trials.csv',
  stop: 'stop.json',
  nodes: NODES_FILE,
  checks: CHECKS_FILE,
  consoles: 'consoles',
} as const;

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
 * Makes `folder` a run. It must not exist, be empty, or hold a run that was never finished being made; `provenance.json` is written last, and marks the run as
 * created.
 */
export async function createRun(folder: string, described: RunDescription): Promise<OpenRun> {
  await claimFolder(folder);
  const lock = await lockRun(folder);
  try {
    await removeHalfWritten(folder);
    await makeFolder(join(folder, RUN_FILES.consoles));
    const texts = { ...textsOf(described), provenance: stableJson(described.provenance) };
    await writeAtomic(join(folder, RUN_FILES.spec), texts.spec);
    await writeAtomic(join(folder, RUN_FILES.plan), texts.plan);
    await writeAtomic(join(folder, RUN_FILES.sums), formatSums(texts));
    const log = await openLog(folder, described.plan);
    await writeAtomic(join(folder, RUN_FILES.provenance), texts.provenance);
    return openRunOf(folder, described, log, lock, []);
  } catch (error) {
    // So that the next try finds an empty folder; what cannot be removed is told by it.
    await removeHalfMade(folder).catch(() => undefined);
    await lock.release().catch(() => undefined);
    throw error;
  }
}

async function removeHalfMade(folder: string): Promise<void> {
  const entries = await readdir(folder);
  if (!(await isHalfMade(folder, entries))) return;
  const made = entries.filter((name) => !name.startsWith('run.lock'));
  for (const name of made) await rm(join(folder, name), { recursive: true, force: true });
}

/**
 * Opens an existing run for more trials. What is damaged is put right where that can be: a torn last line and changed lines of the
 * log are moved aside, and of what describes the run a file is made again, from `again` (what the spec at hand leads to) or its copy.
 */
export async function openRun(
  folder: string,
  again?: Pick<RunDescription, 'spec' | 'plan'>,
): Promise<OpenRun> {
  // Before the lock, so that a wrong path is reported as what it is.
  await requireRun(folder);
  const lock = await lockRun(folder);
  try {
    await removeHalfWritten(folder);
    const mended = await mendDescription(folder, again && textsOf(again));
    const { notices, ...described } = await readDescription(folder);
    const log = await openLog(folder, described.plan);
    return openRunOf(folder, described, log, lock, [...mended, ...notices]);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Reads a run, also one in progress. Throws when a file is missing or damaged, or its checks found the lab broken. `keep` is what of each record stays in memory: a large run
 * has more output than an analysis can hold.
 */
export async function readRun(
  folder: string,
  keep?: (record: TrialRecord) => TrialRecord,
): Promise<StoredRun> {
  const { notices: doubts, ...described } = await readDescription(folder);
  await requireUnbroken(folder);
  const path = join(folder, RUN_FILES.log);
  const planned = plannedOf(folder, described.plan);
  const contents = await readLog(path, { planned, ...(keep === undefined ? {} : { keep }) });
  const torn =
    contents.torn === undefined
      ? []
      : [`${path}: the last line is incomplete and was left out (${contents.torn.length} bytes)`];
  const early = await readEarlyEnd(folder, described.plan, contents.records);
  const plan = early === undefined ? described.plan : planUntil(described.plan, early);
  return { folder, ...described, plan, records: contents.records, notices: [...doubts, ...torn] };
}

function openLog(folder: string, plan: StoredPlan): Promise<TrialLog> {
  return TrialLog.open(join(folder, RUN_FILES.log), plannedOf(folder, plan));
}

/** The plan of the run in `folder`, against which its records are held. */
export function plannedOf(folder: string, { trials }: StoredPlan): PlannedRecords {
  return new PlannedRecords(trials, join(folder, RUN_FILES.plan));
}

function planUntil(plan: StoredPlan, { blocks }: EarlyEnd): StoredPlan {
  return { ...plan, trials: plan.trials.filter(({ block }) => block < blocks) };
}

/** What `stop.json` says, when plan and records agree: all trials of so many blocks, and none of a later one. */
async function readEarlyEnd(
  folder: string,
  plan: StoredPlan,
  records: readonly TrialRecord[],
): Promise<EarlyEnd | undefined> {
  const path = join(folder, RUN_FILES.stop);
  if (!existsSync(path)) return undefined;
  const text = await readFile(path, 'utf8');
  const early = parseJson<Partial<EarlyEnd>>(text, path);
  const blocks = early?.blocks ?? 0;
  const due = plan.trials.filter(({ block }) => block < blocks).length;
  const within = records.filter(({ block }) => block < blocks).length;
  if (Number.isSafeInteger(blocks) && blocks > 0 && within === due && records.length === due)
    return { blocks };
  throw new PmvxError(ExitCode.failure, {
    where: path,
    what: `not what was written: it says ${JSON.stringify(text.slice(0, 60))}, and of ${due} trials of these blocks ${within} are recorded, ${records.length} in all`,
    next: 'Resume the run: it decides once more',
  });
}

function openRunOf(
  folder: string,
  described: RunDescription,
  log: TrialLog,
  lock: RunLock,
  found: readonly string[],
): OpenRun {
  const { spec, plan, provenance } = described;
  const tookOver = lock.tookOver ? [`${lock.path}: taken over from a controller that no longer runs`] : [];
  const close = async (): Promise<void> => {
    await log.close();
    await lock.release();
  };
  return { folder, spec, plan, provenance, log, notices: [...tookOver, ...found, ...log.notices], close };
}

/** Whether a folder holds what a controller leaves that is killed while it makes a run, and nothing else. */
async function isHalfMade(folder: string, entries: readonly string[]): Promise<boolean> {
  const { spec, plan, sums, consoles, log } = RUN_FILES;
  const made = (name: string) =>
    [spec, plan, sums, consoles, log].some((each) => each === name) || /^run\.lock$|^\..*\.tmp$/.test(name);
  // The lock is the first thing that is made in it.
  if (!entries.every(made) || !entries.some((name) => name.includes('run.lock'))) return false;
  const filled = [
    await readdir(join(folder, consoles)).then(
      (names) => names.length > 0,
      () => false,
    ),
    await stat(join(folder, log)).then(
      ({ size }) => size > 0,
      () => false,
    ),
  ];
  return !filled.includes(true);
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
    if (entries.length === 0 || (await isHalfMade(folder, entries))) return;
    throw new PmvxError(ExitCode.usage, {
      where: folder,
      what: `the folder is not empty (${entries.length} entries)`,
      next: entries.includes(RUN_FILES.provenance)
        ? 'Continue that run with --resume, or choose another folder with --out'
        : 'Choose another folder with --out',
    });
  }
}
