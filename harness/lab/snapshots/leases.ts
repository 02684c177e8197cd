// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type FileLock, lockFile } from './lock.ts';
import { SNAPSHOT_FILES } from './manifest.ts';

/** Keeps a snapshot from being removed to make room, until it is released or this process ends. */
export interface Lease {
  release(): Promise<void>;
}

/** Leases of one process: however often it uses a snapshot, it holds one lock. */
export interface Leases {
  /** Undefined when the snapshot is not there (any more). */
  take(key: string): Promise<Lease | undefined>;
  /** The first lease of a snapshot whose lock was taken elsewhere. */
  adopt(key: string, lock: FileLock): Lease;
  /** The folder of this name is another from now on. */
  forget(key: string): void;
}

interface Shared {
  readonly lock: FileLock;
  users: number;
}

export function createLeases(folder: string, signal?: AbortSignal): Leases {
  const held = new Map<string, Shared>();
  const lease = (key: string, shared: Shared): Lease => {
    shared.users += 1;
    let mine = true;
    return {
      async release() {
        if (!mine) return;
        mine = false;
        shared.users -= 1;
        if (shared.users > 0) return;
        if (held.get(key) === shared) held.delete(key);
        await shared.lock.release();
      },
    };
  };
  const adopt = (key: string, lock: FileLock): Lease => {
    const shared = { lock, users: 0 };
    held.set(key, shared);
    return lease(key, shared);
  };
  return {
    adopt,
    async take(key) {
      const shared = held.get(key);
      if (shared?.lock.held) return lease(key, shared);
      const path = join(folder, key, SNAPSHOT_FILES.used);
      // Others hold it alone only while they move the folder away.
      const lock = await lockFile(path, 'shared', { wait: true, signal });
      return typeof lock === 'string' ? undefined : adopt(key, lock);
    },
    forget(key) {
      held.delete(key);
    },
  };
}
