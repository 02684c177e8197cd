// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { ExitCode, PmvxError } from '../../core/errors.ts';

/** A lock of flock(2) on a file: held until `release` or the end of this process, however it ends. */
export interface FileLock {
  /** False once the process that holds it for us was killed. */
  readonly held: boolean;
  release(): Promise<void>;
}

export interface LockOptions {
  /** Waits for the others; `taken` at once otherwise. */
  readonly wait?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** How flock(1) says that somebody else holds the lock, and the script that the file cannot be opened. */
const TAKEN = 75;
const UNOPENED = 74;

/**
 * Tells which file it has locked, then holds the lock for as long as its input is open. Opened for writing too, which NFS asks
 * for; the file is made when its folder exists.
 */
const HOLD = `
  command exec 9<>"$1" || exit ${UNOPENED}
  flock $2 9 || exit $?
  stat -L -c %d:%i /proc/self/fd/9 || exit $?
  exec cat >/dev/null
`;

/**
 * Locks the file at `path`, `shared` or `exclusive`. `taken`: others hold it, and `wait` is not set. `gone`: the file was
 * removed or replaced before the lock was ours, so that it protects nothing; look again.
 */
export async function lockFile(
  path: string,
  mode: 'shared' | 'exclusive',
  { wait = false, signal }: LockOptions = {},
): Promise<FileLock | 'taken' | 'gone'> {
  signal?.throwIfAborted();
  const options = `--${mode} --conflict-exit-code ${TAKEN}${wait ? '' : ' --nonblock'}`;
  // Detached, so that Ctrl-C in a terminal does not free the lock before this process has ended its work.
  const holder = spawn('sh', ['-c', HOLD, 'sh', path, options], { detached: true });
  const complaint: Buffer[] = [];
  holder.stderr.on('data', (bytes: Buffer) => complaint.push(bytes));
  const gone = new Promise<number | string>((resolve, reject) => {
    holder.once('error', reject);
    holder.once('close', (code, ended) => resolve(code ?? ended ?? 'unknown'));
  });
  // With its children: flock waits on its own.
  const stop = () => {
    try {
      if (holder.pid !== undefined) process.kill(-holder.pid, 'SIGKILL');
    } catch {
      // It ended at the same moment.
    }
  };
  signal?.addEventListener('abort', stop);
  const said = once(holder.stdout, 'data').then(([bytes]) => ({ file: String(bytes).trim() }));
  const first = await Promise.race([said, gone]).finally(() => signal?.removeEventListener('abort', stop));
  signal?.throwIfAborted();
  if (typeof first !== 'object') return refusal(path, first, Buffer.concat(complaint).toString().trim());
  const lock = heldBy(holder, gone);
  if (first.file === (await fileAt(path))) return lock;
  await lock.release();
  return 'gone';
}

function heldBy(holder: ChildProcessWithoutNullStreams, gone: Promise<unknown>): FileLock {
  // Nobody who forgets a lock is kept from ending by it.
  const pipes = [holder.stdin, holder.stdout, holder.stderr] as unknown as Socket[];
  const waits = [holder, ...pipes];
  for (const each of waits) each.unref();
  holder.stdin.on('error', () => undefined);
  return {
    get held() {
      return holder.exitCode === null && holder.signalCode === null;
    },
    async release() {
      for (const each of waits) each.ref();
      holder.stdin.end();
      await gone;
    },
  };
}

async function refusal(path: string, status: number | string, words: string): Promise<'taken' | 'gone'> {
  if (status === TAKEN) return 'taken';
  const folder = path.slice(0, path.lastIndexOf('/'));
  if (status === UNOPENED && (await fileAt(folder)) === undefined) return 'gone';
  throw new PmvxError(ExitCode.environment, {
    where: path,
    what: `cannot be locked: ${words || `flock ended with ${status}`}`,
    next: 'Snapshots need flock (package util-linux) and a folder that can be written: see PMVX_CACHE',
  });
}

/** Device and number of the file that a path names now. */
async function fileAt(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
