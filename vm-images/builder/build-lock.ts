// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The only build of a cache: until `release`, or the death of this process. */
export interface BuildLock {
  release(): Promise<void>;
}

/** Stays in the cache for ever: removing it would free a lock that somebody holds. */
export const LOCK_FILE = 'build.lock';

/** flock(1) leaves with this when somebody else holds the lock. */
const TAKEN = 75;

/**
 * Waits until no other build works in `cache`. Two builds at once would download the same packages twice and share two
 * cores; the second finds the image that the first made. The kernel frees the lock when its holder ends, however it does.
 */
export async function lockBuilds(
  cache: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<BuildLock> {
  const path = join(cache, LOCK_FILE);
  let lock = await tryLockBuilds(cache, signal);
  if (lock === undefined) {
    say('waiting for another build in the same cache');
    lock = await take(path, [], signal);
  }
  if (lock === undefined) throw new Error(`flock gave up on ${path}`);
  return lock;
}

/** The same, without waiting: undefined while another build works. */
export function tryLockBuilds(cache: string, signal: AbortSignal): Promise<BuildLock | undefined> {
  return take(join(cache, LOCK_FILE), ['--nonblock', '--conflict-exit-code', String(TAKEN)], signal);
}

async function take(
  path: string,
  options: readonly string[],
  signal: AbortSignal,
): Promise<BuildLock | undefined> {
  signal.throwIfAborted();
  // `cat` holds the lock for as long as its input is open: until this process closes it or is gone. Detached, so that
  // Ctrl-C in a terminal does not free the lock before the builder has cleaned up.
  const holder = spawn('flock', ['--no-fork', ...options, path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const gone = exitOf(holder);
  const stop = () => holder.kill('SIGKILL');
  signal.addEventListener('abort', stop);
  const held = await Promise.race([once(holder.stdout, 'data').then(() => 'held' as const), gone]);
  signal.removeEventListener('abort', stop);
  if (held !== 'held') {
    signal.throwIfAborted();
    if (held === TAKEN) return undefined;
    throw new Error(`flock ${path} ended with ${held}`);
  }
  return {
    async release() {
      holder.stdin.end();
      await gone;
    },
  };
}

function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}
