// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keepingFault } from './faults.ts';
import { bytesIn, keptFolders, partialPrefix, removePartials } from './folders.ts';
import { type SnapshotParts, snapshotKey } from './keys.ts';
import { type FileLock, lockFile } from './lock.ts';
import { type Json, SNAPSHOT_FILES, type SnapshotManifest, writeManifest } from './manifest.ts';
import { admit, currentLimit, shrinkTo } from './quota.ts';
import { describeFiles, syncPath } from './verify.ts';

/** Saves a machine's files into the empty folder that it is given; returns what the engine wants to know of it again. */
export type MakeSnapshot = (folder: string) => Promise<Json>;

/**
 * Makes the snapshot of `parts` in the store `folder` and puts it in place as one step; nothing is left of a failure. Needs the
 * snapshot's making lock. Returns a shared lock on it, taken before anybody else could find it.
 */
export async function makeSnapshot(
  folder: string,
  parts: SnapshotParts,
  make: MakeSnapshot,
  limitBytes: number,
): Promise<{ readonly lock: FileLock; readonly manifest: SnapshotManifest }> {
  const key = snapshotKey(parts);
  let partial: string | undefined;
  let lock: FileLock | undefined;
  try {
    await removePartials(folder, key);
    await makeRoom(folder, limitBytes);
    partial = await mkdtemp(join(folder, partialPrefix(key)));
    const facts = await make(partial);
    const files = await describeFiles(partial);
    await writeFile(join(partial, SNAPSHOT_FILES.used), '');
    const manifest = { key, parts, files, createdAt: new Date().toISOString(), facts };
    await writeManifest(partial, manifest);
    await syncPath(partial);
    await admit(folder, await bytesIn(partial), limitBytes);
    lock = await lockUsed(partial);
    await rename(partial, join(folder, key));
    await syncPath(folder);
    return { lock, manifest };
  } catch (error) {
    // What filled the disk must still be there when the disk is looked at.
    const fault = await keepingFault(error, folder);
    if (partial !== undefined) await rm(partial, { recursive: true, force: true, maxRetries: 3 });
    await lock?.release();
    throw fault;
  }
}

/** Room for a snapshot as large as the largest there is; how large it really is, is seen when it is made. */
async function makeRoom(folder: string, limitBytes: number): Promise<void> {
  const largest = Math.max(0, ...(await keptFolders(folder)).map(({ bytes }) => bytes));
  const { bytes } = await currentLimit(folder, limitBytes);
  await shrinkTo(folder, Math.max(0, bytes - largest));
}

async function lockUsed(partial: string): Promise<FileLock> {
  const lock = await lockFile(join(partial, SNAPSHOT_FILES.used), 'shared');
  if (typeof lock === 'string') throw new Error(`${partial} was removed while a snapshot was made in it`);
  return lock;
}
