// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { storageFault } from './storage-fault.ts';

/** Name of a file that is being written beside `path`; whose it is shows in it, so that what the dead left can be told. */
export function besideName(path: string): string {
  return `.${basename(path)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
}

const BESIDE = /\.(\d+)-[0-9a-f]{12}\.tmp$/;

/** Removes what processes that are gone were writing in `folder` when they ended. */
export async function removeHalfWritten(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = BESIDE.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await rm(join(folder, name), { force: true });
  }
}

/**
 * Replaces `path` so that a reader, also after a crash, finds the old bytes or the new ones and never a
 * mixture. Written beside (`.<name>.<pid>-<random>.tmp`), fsynced, renamed, and the folder fsynced.
 */
export async function writeAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const beside = join(dirname(path), besideName(path));
  try {
    const handle = await open(beside, 'wx', 0o644);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw storageFault(error, 'write', path);
  }
}

/** Makes names in `folder` (a new, renamed or removed file) survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates `folder` and its parents. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw storageFault(error, 'create folder', folder);
  }
}

/**
 * An object as JSON for people and programs: two spaces, sorted keys, a last newline. Equal values give equal
 * bytes.
 */
export function stableJson(value: unknown): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
