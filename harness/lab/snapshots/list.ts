// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type KeptFolder, keptFolders, removeLeftovers, removeUnused, snapshotsFolder } from './folders.ts';
import { lockFile } from './lock.ts';
import { readManifest, SNAPSHOT_FILES, type SnapshotManifest } from './manifest.ts';

/** A snapshot of a cache, and what it says of itself; the store proves it when it is used. */
export interface ListedSnapshot extends KeptFolder {
  /** Undefined when the manifest is damaged or of another version. */
  readonly manifest: SnapshotManifest | undefined;
  /** Whether a process that is alive uses it. */
  readonly inUse: boolean;
}

/** Every snapshot of a cache, the one that was used longest ago first. Changes nothing. */
export async function listSnapshots(cache: string): Promise<ListedSnapshot[]> {
  const folder = snapshotsFolder(cache);
  const listed: ListedSnapshot[] = [];
  for (const kept of await keptFolders(folder)) {
    const path = join(folder, kept.key);
    const manifest = await readManifest(path, kept.key);
    listed.push({
      ...kept,
      manifest: typeof manifest === 'string' ? undefined : manifest,
      // Without its stamp nobody can hold it, and asking would make one.
      inUse: kept.usedAt !== 0 && (await isInUse(path)),
    });
  }
  return listed;
}

export interface Pruned {
  readonly removed: readonly KeptFolder[];
  /** What stays: it is in use, or fits. */
  readonly kept: readonly KeptFolder[];
}

/**
 * Removes snapshots that nobody uses, the one that was used longest ago first, until they take `keepBytes` at most; with 0 all of
 * them. Also what processes that died left.
 */
export async function pruneSnapshots(cache: string, keepBytes = 0): Promise<Pruned> {
  const folder = snapshotsFolder(cache);
  await removeLeftovers(folder);
  const all = await keptFolders(folder);
  let total = all.reduce((sum, { bytes }) => sum + bytes, 0);
  const removed: KeptFolder[] = [];
  for (const each of all) {
    if (total <= keepBytes) break;
    if (!(await removeUnused(folder, each.key))) continue;
    total -= each.bytes;
    removed.push(each);
  }
  return { removed, kept: all.filter((each) => !removed.includes(each)) };
}

async function isInUse(path: string): Promise<boolean> {
  const lock = await lockFile(join(path, SNAPSHOT_FILES.used), 'exclusive');
  if (typeof lock === 'string') return lock === 'taken';
  await lock.release();
  return false;
}
