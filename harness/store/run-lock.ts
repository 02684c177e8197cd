// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { besideName, syncFolder } from './atomic-write.ts';
import { liveness, ownIdentity, type ProcessIdentity } from './process-identity.ts';
import { storageFault } from './storage-fault.ts';

export interface RunLock extends AsyncDisposable {
  readonly path: string;
  /** True when the lock of a controller that died was taken over. */
  readonly tookOver: boolean;
  release(): Promise<void>;
}

const Holder = z.object({
  pid: z.int(),
  startTicks: z.string(),
  bootId: z.string(),
  pidNamespace: z.string(),
  /** Absent in locks of older versions. */
  timeNamespace: z.string().exactOptional(),
  hostname: z.string(),
});

/**
 * Takes `<folder>/run.lock`, so that one controller at most writes a run; a dead controller's lock is taken
 * over.
 */
export async function lockRun(folder: string, self: ProcessIdentity = ownIdentity()): Promise<RunLock> {
  const path = join(folder, 'run.lock');
  const text = `${JSON.stringify({ ...self, nonce: randomBytes(8).toString('hex') })}\n`;
  const tookOver = await acquire(path, text, self).catch((error: unknown) => {
    throw storageFault(error, 'lock the run', path);
  });
  const release = async (): Promise<void> => {
    // Never remove what somebody else put there after a user deleted ours by hand.
    if ((await readFile(path, 'utf8').catch(ignoreMissing)) !== text) return;
    await rm(path, { force: true });
    // Or a power cut would bring it back.
    await syncFolder(folder);
  };
  return { path, tookOver, release, [Symbol.asyncDispose]: release };
}

/** Whether a controller that is alive holds the lock of the run in `folder`. Takes nothing. */
export async function isRunLocked(folder: string): Promise<boolean> {
  const held = await readFile(join(folder, 'run.lock'), 'utf8').catch(ignoreMissing);
  const holder = held === undefined ? undefined : parseHolder(held);
  return holder !== undefined && liveness(holder, ownIdentity()) === 'alive';
}

/**
 * Makes `path` a file with `text`, which nobody alive holds; true when a dead process held it. Two controllers may find the same dead
 * one's lock at once, and the slower must not replace the faster one's fresh lock: who replaces it holds a marker named after the stale text, and replaces it only
 * while that is there, in one step, so that nobody finds no lock meanwhile. A marker is acquired likewise: its holder may have died, too.
 */
async function acquire(path: string, text: string, self: ProcessIdentity): Promise<boolean> {
  while (!(await createWhole(path, text))) {
    const held = await readFile(path, 'utf8').catch(ignoreMissing);
    if (held === undefined) continue;
    refuseUnlessDead(path, held, self);
    const marker = `${path}.${createHash('sha256').update(held).digest('hex').slice(0, 16)}`;
    await acquire(marker, text, self);
    try {
      if ((await readFile(path, 'utf8').catch(ignoreMissing)) !== held) continue;
      await writeBeside(path, text, (beside) => rename(beside, path));
      return true;
    } finally {
      await rm(marker, { force: true });
    }
  }
  return false;
}

function refuseUnlessDead(path: string, held: string, self: ProcessIdentity): void {
  const holder = parseHolder(held);
  const state = holder === undefined ? 'unknown' : liveness(holder, self);
  if (state === 'dead') return;
  const who = holder === undefined ? 'somebody unknown' : `process ${holder.pid} on ${holder.hostname}`;
  throw new PmvxError(ExitCode.failure, {
    where: path,
    what: `the run is in use by ${who}`,
    next:
      state === 'alive'
        ? 'Wait for it to end or stop it'
        : 'Whether it still runs cannot be seen from here; if it does not, delete this file and try again',
  });
}

/** Creates `path` with its whole text at once, so that nobody reads half of it; false when it exists. */
async function createWhole(path: string, text: string): Promise<boolean> {
  try {
    await writeBeside(path, text, (beside) => link(beside, path));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Writes a file beside `path` and puts it in place. Synced: after a power cut a lock without its text would be somebody unknown's. */
async function writeBeside(
  path: string,
  text: string,
  place: (beside: string) => Promise<void>,
): Promise<void> {
  const beside = join(dirname(path), besideName(path));
  try {
    await writeFile(beside, text, { flag: 'wx', flush: true });
    await place(beside);
  } finally {
    await rm(beside, { force: true });
  }
}

function parseHolder(text: string): ProcessIdentity | undefined {
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
