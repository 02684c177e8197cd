// SPDX-License-Identifier: Apache-2.0
import { statfs } from 'node:fs/promises';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { limitFault } from './faults.ts';
import { bytesIn, keptFolders, removeUnused } from './folders.ts';

const GIB = 2 ** 30;

const DEFAULT_LIMIT = 8 * GIB;

const UNITS: Readonly<Record<string, number>> = { MiB: 2 ** 20, GiB: GIB, TiB: 2 ** 40 };

/** Bytes of a size like `4GiB` or `1.5TiB`; undefined when it is not written so. */
export function parseBytes(text: string): number | undefined {
  const match = /^([0-9]{1,6}(?:\.[0-9]{1,3})?)(MiB|GiB|TiB)$/.exec(text.trim());
  const bytes = match === null ? 0 : Math.floor(Number(match[1]) * (UNITS[match[2] as string] as number));
  return bytes > 0 ? bytes : undefined;
}

/** Bytes as people read them: whole MiB. */
export function formatBytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** What all snapshots together may take on disk, in bytes: PMVX_SNAPSHOT_LIMIT, or 8 GiB. */
export function snapshotLimit(env: Readonly<Record<string, string | undefined>>): number {
  const text = env.PMVX_SNAPSHOT_LIMIT;
  if (text === undefined || text === '') return DEFAULT_LIMIT;
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new PmvxError(ExitCode.usage, {
    where: 'PMVX_SNAPSHOT_LIMIT',
    what: `${JSON.stringify(text)} is not a size`,
    next: 'Write a size such as 512MiB or 4GiB',
  });
}

export interface Limit {
  readonly bytes: number;
  /** `set` by the user or the default, or the `disk` has no more to give. */
  readonly why: 'set' | 'disk';
}

/** The limit that holds now: never more than half of what is free, or would be without snapshots. */
export async function currentLimit(folder: string, limitBytes: number): Promise<Limit> {
  const { bavail, bsize } = await statfs(folder);
  const half = Math.floor((bavail * bsize + (await bytesIn(folder))) / 2);
  return half < limitBytes ? { bytes: half, why: 'disk' } : { bytes: limitBytes, why: 'set' };
}

/**
 * Removes snapshots that nobody uses, the one that was asked for longest ago first, until all files in the store, also those
 * being made, take `target` bytes at most. What it comes to, in bytes.
 */
export async function shrinkTo(folder: string, target: number): Promise<number> {
  let total = await bytesIn(folder);
  if (total <= target) return total;
  for (const { key, bytes } of await keptFolders(folder)) {
    if (total <= target) break;
    if (await removeUnused(folder, key)) total -= bytes;
  }
  return total;
}

/** Throws when a new snapshot of `bytes`, which already lies in the store, is too large for it; makes room for it. */
export async function admit(folder: string, bytes: number, limitBytes: number): Promise<void> {
  const limit = await currentLimit(folder, limitBytes);
  const may = `snapshots may take ${formatBytes(limit.bytes)}${limit.why === 'disk' ? ', half of the free space' : ''}`;
  if (bytes > limit.bytes) {
    throw limitFault(folder, `a snapshot of this machine takes ${formatBytes(bytes)}; ${may}`, limit.why);
  }
  const total = await shrinkTo(folder, limit.bytes);
  if (total <= limit.bytes) return;
  const others = `those in use take ${formatBytes(total - bytes)}`;
  throw limitFault(
    folder,
    `there is no room for a snapshot of ${formatBytes(bytes)}: ${others}; ${may}`,
    limit.why,
  );
}
