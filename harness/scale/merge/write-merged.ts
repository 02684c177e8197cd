// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { cp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sealLine } from '../../core/sealed-line.ts';
import type { PlannedTrial, TrialRecord } from '../../core/trial.ts';
import { AtomicStream } from '../../store/atomic-stream.ts';
import { makeFolder, stableJson, syncFolder, writeAtomic } from '../../store/atomic-write.ts';
import { addNodes } from '../../store/nodes.ts';
import { textsOf } from '../../store/run-description.ts';
import { RUN_FILES } from '../../store/run-folder.ts';
import { lockRun } from '../../store/run-lock.ts';
import { formatSums } from '../../store/run-sums.ts';
import { csvHeader, csvOf } from '../../store/trials-csv.ts';
import type { Chosen } from './choose.ts';
import { LineReader } from './line-reader.ts';
import type { MergedDescription } from './merged-run.ts';

/** A trial of the merged run, and the record that stands for it. */
export interface MergedTrial extends Chosen {
  readonly planned: PlannedTrial;
}

/** What goes into a merged run's folder. */
export interface Merged {
  readonly described: MergedDescription;
  /** In the plan's order. */
  readonly trials: readonly MergedTrial[];
  /** Blocks after which the spec's rule had enough; absent when it had not. */
  readonly enough?: number;
}

/**
 * Writes a merged run into `folder`: as one step when it is new, file by file, each as one step, when it is there, of the same spec and locked
 * by the caller. Killed at any point and called again, it ends with the same bytes.
 */
export async function writeMerged(folder: string, merged: Merged): Promise<void> {
  if (existsSync(folder)) return fill(folder, merged);
  await makeFolder(dirname(folder));
  await sweepLeftovers(folder);
  const beside = besideOf(folder);
  await makeFolder(beside);
  try {
    const lock = await lockRun(beside);
    try {
      await fill(beside, merged);
    } finally {
      await lock.release();
    }
    await rename(beside, folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

function besideOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Removes what merges left that were killed before their folder was in place. */
async function sweepLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(`.${basename(folder)}.`) || !name.endsWith('.tmp')) continue;
    const path = join(dirname(folder), name);
    // Another that is at work holds its lock, and one that cannot be seen from here may.
    const lock = await lockRun(path).catch(() => undefined);
    if (lock !== undefined) await rm(path, { recursive: true, force: true });
  }
}

async function fill(folder: string, { described, trials, enough }: Merged): Promise<void> {
  const texts = { ...textsOf(described), provenance: stableJson(described.provenance) };
  for (const name of ['spec', 'plan'] as const) await writeAtomic(join(folder, RUN_FILES[name]), texts[name]);
  // Sums hold a copy of the provenance: killed between the two, the next call makes it again.
  await writeAtomic(join(folder, RUN_FILES.sums), formatSums(texts));
  await writeAtomic(join(folder, RUN_FILES.provenance), texts.provenance);
  await addNodes(folder, described.nodes);
  await copyConsoles(folder, trials);
  await writeRecords(folder, described.provenance.run, trials);
  const stop = join(folder, RUN_FILES.stop);
  if (enough === undefined) await rm(stop, { force: true });
  else await writeAtomic(stop, stableJson({ blocks: enough }));
}

/** Log and CSV, both in the plan's order: no two ways to the same records give different files. */
async function writeRecords(folder: string, run: string, trials: readonly MergedTrial[]): Promise<void> {
  await using lines = new LineReader();
  const log = await AtomicStream.open(join(folder, RUN_FILES.log));
  const csv = await AtomicStream.open(join(folder, RUN_FILES.csv));
  try {
    await csv.write(csvHeader());
    for (const { part, record, planned } of trials) {
      const read = await lines.read(part.folder, record);
      const own: TrialRecord = { ...read, run, trial: planned.trial };
      await log.write(sealLine(own));
      await csv.write(csvOf(own));
    }
    // The CSV follows from the log, and never the other way round.
    await log.commit();
    await csv.commit();
  } catch (error) {
    await log.discard();
    await csv.discard();
    throw error;
  }
}

/** The consoles of each trial, also those of a first attempt, and no others. */
async function copyConsoles(folder: string, trials: readonly MergedTrial[]): Promise<void> {
  const to = join(folder, RUN_FILES.consoles);
  await makeFolder(to);
  const recorded = new Set(trials.map(({ planned }) => planned.trial));
  for (const name of await readdir(to)) {
    if (!recorded.has(trialOf(name))) await rm(join(to, name), { recursive: true, force: true });
  }
  for (const [part, own] of Map.groupBy(trials, (trial) => trial.part)) {
    if (part.folder === folder) continue;
    const from = join(part.folder, RUN_FILES.consoles);
    const byTrial = Map.groupBy(await readdir(from).catch(() => []), trialOf);
    for (const { record, planned } of own) {
      for (const name of byTrial.get(record.trial) ?? []) {
        const target = join(to, `${planned.trial}${name.slice(record.trial.length)}`);
        await copyFolder(join(from, name), target);
      }
    }
  }
  await syncFolder(to);
}

/** The trial whose consoles are in a folder of this name. */
function trialOf(name: string): string {
  return name.replace(/-attempt\d+$/, '');
}

/** Copies a folder whole or not at all, in place of what is there; nothing is left beside it. */
export async function copyFolder(from: string, to: string): Promise<void> {
  const beside = besideOf(to);
  try {
    await cp(from, beside, { recursive: true, mode: constants.COPYFILE_FICLONE, preserveTimestamps: true });
    await rm(to, { recursive: true, force: true });
    await rename(beside, to);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}
