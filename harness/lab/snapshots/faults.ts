// SPDX-License-Identifier: Apache-2.0
import { statfs } from 'node:fs/promises';
import { ExitCode, PmvxError } from '../../core/errors.ts';

const WITHOUT = 'or write `counterfactual: boot`, which needs no snapshots';

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device (ENOSPC)',
  EDQUOT: 'the disk quota is used up (EDQUOT)',
  EROFS: 'the file system is read-only (EROFS)',
  EACCES: 'permission denied (EACCES)',
  ENOTDIR: 'a part of the path is not a folder (ENOTDIR)',
};

/**
 * The `PmvxError` for a snapshot that could not be kept in `folder`; an error that has nothing to do with storage comes back
 * unchanged. A machine that ran out of disk says so in its own words, or dies of it (SIGBUS), so a full disk is looked for.
 * Ask before anything is removed.
 */
export async function keepingFault(error: unknown, folder: string): Promise<unknown> {
  if (error instanceof PmvxError && error.code === ExitCode.environment) return error;
  const coded = error instanceof Error && 'code' in error ? String(error.code) : '';
  const full = /\bENOSPC\b|no space left/i.test(String(error)) || (await isFull(folder));
  const words = Object.hasOwn(WORDS, coded) ? WORDS[coded] : full ? WORDS.ENOSPC : undefined;
  if (words === undefined) return error;
  const space = coded === 'EDQUOT' || words === WORDS.ENOSPC;
  const next = space
    ? `Free some space, give snapshots less of it with PMVX_SNAPSHOT_LIMIT, ${WITHOUT}`
    : `Set PMVX_CACHE to a folder that can be written, ${WITHOUT}`;
  return new PmvxError(
    ExitCode.environment,
    { where: folder, what: `a snapshot of the machine cannot be kept: ${words}`, next },
    { cause: error },
  );
}

/** A snapshot, alone or with those that are in use, exceeds what snapshots may take. */
export function limitFault(folder: string, what: string, why: string): PmvxError {
  const next = `${why === 'set' ? 'Set PMVX_SNAPSHOT_LIMIT higher' : 'Free some space'}, ${WITHOUT}`;
  return new PmvxError(ExitCode.environment, { where: folder, what, next });
}

/** Less than this is what a failed write of one block leaves. */
const NOTHING_LEFT = 2 ** 16;

async function isFull(folder: string): Promise<boolean> {
  const disk = await statfs(folder).catch(() => undefined);
  if (disk === undefined) return false;
  // What is reserved for root is free to root.
  return (process.getuid?.() === 0 ? disk.bfree : disk.bavail) * disk.bsize < NOTHING_LEFT;
}
