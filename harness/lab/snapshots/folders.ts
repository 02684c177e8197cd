// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSnapshotKey } from './keys.ts';
import { lockFile } from './lock.ts';
import { SNAPSHOT_FILES } from './manifest.ts';

/** Folder of all snapshots in a cache. */
export function snapshotsFolder(cache: string): string {
  return join(cache, 'snapshots');
}

/** Held by whoever makes the snapshot `key`; removed, while it is held, when that is done. */
export function makingLock(folder: string, key: string): string {
  return join(folder, `.lock-${key}`);
}

/** What the names of folders begin with in which the snapshot `key` is being made. */
export function partialPrefix(key: string): string {
  return `.partial-${key}-`;
}

const LEFT_OVER = /^\.(?:lock|partial)-([0-9a-f]{16})(?:-|$)/;

const THROWN_AWAY = '.gone-';

/** A snapshot as it lies in the store; nothing of it is verified. */
export interface KeptFolder {
  readonly key: string;
  /** Bytes on disk, holes left out. */
  readonly bytes: number;
  /** When it was last asked for, in ms since 1970. */
  readonly usedAt: number;
}

/** Every snapshot in the store, the one that was used longest ago first. */
export async function keptFolders(folder: string): Promise<KeptFolder[]> {
  const kept: KeptFolder[] = [];
  for (const key of (await namesIn(folder)).filter(isSnapshotKey)) {
    const path = join(folder, key);
    const used = await stat(join(path, SNAPSHOT_FILES.used)).catch(() => undefined);
    // Without its stamp a folder is damaged, and the first to go.
    kept.push({ key, bytes: await bytesIn(path), usedAt: used?.mtimeMs ?? 0 });
  }
  return kept.sort((a, b) => a.usedAt - b.usedAt || (a.key < b.key ? -1 : 1));
}

/** Bytes on disk of all files of a folder, holes left out; 0 for a folder that is not there. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    if (found?.isFile()) bytes += found.blocks * 512;
  }
  return bytes;
}

/** Removes a folder of the store: nobody finds half of it, and what a kill leaves is removed at the next opening. */
export async function throwAway(folder: string, name: string, moved?: () => Promise<void>): Promise<void> {
  const aside = join(folder, `${THROWN_AWAY}${randomBytes(6).toString('hex')}`);
  const there = await rename(join(folder, name), aside).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return false;
    },
  );
  await moved?.();
  if (there) await remove(aside);
}

/** Removes the snapshot `key` unless somebody uses it; says whether it is gone. */
export async function removeUnused(folder: string, key: string): Promise<boolean> {
  const lock = await lockFile(join(folder, key, SNAPSHOT_FILES.used), 'exclusive');
  if (typeof lock === 'string') return lock === 'gone';
  let release = () => lock.release();
  try {
    // Nobody waits for the lock until hundreds of MiB are deleted.
    await throwAway(folder, key, () => {
      release = async () => undefined;
      return lock.release();
    });
  } finally {
    await release();
  }
  return true;
}

/** Removes what processes left that died while they made or removed a snapshot. */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = await namesIn(folder);
  for (const name of names.filter((each) => each.startsWith(THROWN_AWAY))) await remove(join(folder, name));
  const keys = new Set(names.flatMap((name) => LEFT_OVER.exec(name)?.[1] ?? []));
  for (const key of keys) {
    const path = makingLock(folder, key);
    const lock = await lockFile(path, 'exclusive');
    // Whoever makes it is alive.
    if (typeof lock === 'string') continue;
    try {
      await removePartials(folder, key);
      await rm(path, { force: true });
    } finally {
      await lock.release();
    }
  }
}

/** Removes what a process left that died while it made the snapshot `key`. Needs the making lock. */
export async function removePartials(folder: string, key: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (name.startsWith(partialPrefix(key))) await throwAway(folder, name);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

/** Two processes may remove the same folder. */
function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 });
}
