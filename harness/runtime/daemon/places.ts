// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface DefaultPlaces {
  /** Folder of what is kept: journal, guard's state, latch, queue. */
  readonly state: string;
  readonly socket: string;
  /** Lock of the one daemon that may act on this machine. */
  readonly lock: string;
}

/** Where things are when nobody says: the system's folders for root, the user's for others. */
export function defaultPlaces(env: Readonly<Record<string, string | undefined>>): DefaultPlaces {
  if (process.getuid?.() === 0) {
    const state = env.STATE_DIRECTORY ?? '/var/lib/pmvx';
    const run = env.RUNTIME_DIRECTORY ?? '/run/pmvx';
    return { state, socket: join(run, 'autotune.sock'), lock: join(run, 'autotune.lock') };
  }
  const home = env.HOME || homedir();
  const state = join(env.XDG_STATE_HOME || join(home, '.local/state'), 'pmvx');
  const run = env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'pmvx') : state;
  return { state, socket: join(run, 'autotune.sock'), lock: join(run, 'autotune.lock') };
}
