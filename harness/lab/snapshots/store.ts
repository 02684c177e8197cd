// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { keepingFault } from './faults.ts';
import { makingLock, removeLeftovers, snapshotsFolder, throwAway } from './folders.ts';
import { isSnapshotKey, type SnapshotParts, snapshotKey } from './keys.ts';
import { createLeases, type Lease } from './leases.ts';
import { lockFile } from './lock.ts';
import { type MakeSnapshot, makeSnapshot } from './make.ts';
import { SNAPSHOT_FILES, type SnapshotManifest } from './manifest.ts';
import { createTrust } from './trust.ts';

/** A snapshot whose bytes are what was saved. Nobody removes it to make room before `release`. */
export interface Snapshot extends AsyncDisposable {
  readonly key: string;
  /** Holds `SNAPSHOT_FILES` and `ramFile`s: to be read, or mapped privately, never written. */
  readonly folder: string;
  readonly manifest: SnapshotManifest;
  release(): Promise<void>;
}

export interface SnapshotStore {
  /** The snapshot of a key, verified; undefined when there is none, or none any more that can be trusted. */
  find(key: string): Promise<Snapshot | undefined>;
  /**
   * The snapshot of a machine: the one that is there, else the one that `make` saves. Of several processes that ask at once one
   * makes it and the others wait. `PmvxError` when it cannot be kept: disk full, larger than the limit, folder not writable.
   */
  create(parts: SnapshotParts, make: MakeSnapshot): Promise<Snapshot>;
}

export interface SnapshotStoreOptions {
  /** Bytes on disk that all snapshots together may take; see `snapshotLimit`. */
  readonly limitBytes: number;
  /** Told in one line of each snapshot that was damaged. */
  readonly warn?: (line: string) => void;
  /** Ends the wait for another process. */
  readonly signal?: AbortSignal;
}

/** Opens the snapshots of a cache, and removes what processes that died have left there. */
export async function openSnapshotStore(
  cache: string,
  { limitBytes, warn = () => undefined, signal }: SnapshotStoreOptions,
): Promise<SnapshotStore> {
  const folder = snapshotsFolder(cache);
  const leases = createLeases(folder, signal);
  const trust = createTrust();
  const inTurn = turns();
  await prepare(folder);

  const find = async (key: string): Promise<Snapshot | undefined> => {
    const path = join(folder, key);
    if (!isSnapshotKey(key) || !(await isThere(path))) return undefined;
    const lease = await leases.take(key);
    if (lease === undefined) return undefined;
    try {
      const manifest = await trust.check(path, key);
      if (typeof manifest !== 'string') {
        await utimes(join(path, SNAPSHOT_FILES.used), new Date(), new Date());
        return handle(path, manifest, lease);
      }
      leases.forget(key);
      await throwAway(folder, key);
      warn(`snapshot ${key} was damaged (${manifest}) and is made again`);
    } catch (error) {
      await lease.release();
      throw error;
    }
    await lease.release();
    return undefined;
  };

  const create = async (parts: SnapshotParts, make: MakeSnapshot): Promise<Snapshot> => {
    const key = snapshotKey(parts);
    for (;;) {
      const found = await find(key);
      if (found !== undefined) return found;
      await mkdir(folder, { recursive: true });
      const making = await lockFile(makingLock(folder, key), 'exclusive', { wait: true, signal });
      // Whoever held it before us is done, and has removed it.
      if (typeof making === 'string') continue;
      try {
        const made = await find(key);
        if (made !== undefined) return made;
        const { lock, manifest } = await makeSnapshot(folder, parts, make, limitBytes);
        await trust.accept(join(folder, key), manifest);
        return handle(join(folder, key), manifest, leases.adopt(key, lock));
      } finally {
        await rm(makingLock(folder, key), { force: true });
        await making.release();
      }
    }
  };

  return {
    find: (key) => inTurn(key, () => find(key)),
    create: (parts, make) => inTurn(snapshotKey(parts), () => create(parts, make)),
  };
}

function handle(folder: string, manifest: SnapshotManifest, lease: Lease): Snapshot {
  const release = () => lease.release();
  return { key: manifest.key, folder, manifest, release, [Symbol.asyncDispose]: release };
}

async function prepare(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder);
  } catch (error) {
    throw await keepingFault(error, folder);
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

/** Calls for the same key follow each other within this process; those for others do not wait. */
function turns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, turn);
    return turn.finally(() => {
      if (last.get(key) === turn) last.delete(key);
    });
  };
}
