// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import type { Machine } from '../core/spec.ts';
import type { GuestOutcome, Orders } from '../lab/engine.ts';
import { forkEngine } from '../lab/fork/fork-engine.ts';
import type { ForkLab } from '../lab/fork/fork-point.ts';
import { savedTimeNs } from '../lab/fork/fork-time.ts';
import { SNAPSHOT_FILES } from '../lab/snapshots/manifest.ts';
import type { SnapshotStore } from '../lab/snapshots/store.ts';
import type { RunWatcher } from '../run/events.ts';

/** One fork: how its machine ended, and what it lived on from. */
export interface Forked {
  readonly outcome: GuestOutcome;
  /** Absent when the machine ended before its fork point. */
  readonly from?: ForkedFrom;
}

export interface ForkedFrom {
  /** Key of the snapshot. */
  readonly snapshot: string;
  /** Whether this fork had to make it, or one that it depends on; else it was found. */
  readonly made: boolean;
  /** Host seconds until it was there: made, waited for, or found and verified. */
  readonly seconds: number;
  /** Virtual time of the fork point since power-on; absent when unknown. */
  readonly virtualNs?: number;
}

export interface ForkRequest {
  readonly orders: Orders;
  readonly machine: Machine;
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Name of a file in `folder` that receives every context switch after the fork point. */
  readonly switches?: string;
}

/** What questions about states are answered with. */
export interface ForkingLab {
  fork(request: ForkRequest): Promise<Forked>;
  readonly catalog: Pick<Catalog, 'workloads' | 'policies'>;
  /** Gets one folder of consoles a fork. */
  readonly consoles: string;
  /** Most machines at once. */
  readonly jobs: number;
  readonly watch?: RunWatcher;
}

/** Forks of real machines. */
export function forkWith(lab: ForkLab): ForkingLab['fork'] {
  return async ({ orders, machine, folder, signal, switches }) => {
    let from: ForkedFrom | undefined;
    const store = watched(lab.store, async (snapshot) => {
      const state = await readFile(join(snapshot.folder, SNAPSHOT_FILES.state));
      const virtualNs = savedTimeNs(state, machine);
      from = {
        snapshot: snapshot.key,
        made: snapshot.made || (from?.made ?? false),
        seconds: snapshot.seconds + (from?.seconds ?? 0),
        ...(virtualNs === undefined ? {} : { virtualNs }),
      };
    });
    const engine = forkEngine({ ...lab, store }, switches === undefined ? {} : { switches });
    const outcome = await engine.runTrial(orders, machine, folder, signal);
    return { outcome, ...(from === undefined ? {} : { from }) };
  };
}

interface Noted {
  readonly key: string;
  readonly folder: string;
  readonly made: boolean;
  readonly seconds: number;
}

/** A store that tells of each snapshot that it gives, while nobody may remove it. */
function watched(store: SnapshotStore, note: (snapshot: Noted) => Promise<void>): SnapshotStore {
  return {
    find: (key) => store.find(key),
    async create(parts, make) {
      const started = performance.now();
      let made = false;
      const snapshot = await store.create(parts, (folder) => {
        made = true;
        return make(folder);
      });
      try {
        const seconds = (performance.now() - started) / 1000;
        await note({ key: snapshot.key, folder: snapshot.folder, made, seconds });
        return snapshot;
      } catch (error) {
        await snapshot.release();
        throw error;
      }
    },
  };
}
