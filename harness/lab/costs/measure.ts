// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ForkOptions, forkEngine } from '../fork/fork-engine.ts';
import { type ForkLab, forkPoint } from '../fork/fork-point.ts';
import type { ReadyImage } from '../image.ts';
import { exactMachine, labOrders, virtualSeconds } from '../lab-machine.ts';
import { listSnapshots } from '../snapshots/list.ts';
import { openSnapshotStore } from '../snapshots/store.ts';
import { defaultHostDeadlineMs } from '../vm-engine.ts';
import { endedChildSeconds } from './child-seconds.ts';
import { LOADS, type Load } from './loads.ts';

/** Pairs of forks for each figure; the median counts. */
const REPETITIONS = 3;
const STORE_BYTES = 4 * 2 ** 30;

/** What a virtual second of one load costs on one machine. Medians; absent when a fork did not end well. */
export interface LoadCost {
  readonly load: string;
  /** Seconds that passed on the host, for each virtual second. */
  readonly host?: number;
  /** Seconds of processor time of the whole emulator, for each virtual second. */
  readonly processor?: number;
  /** Virtual seconds by which the two forks of a pair differed. */
  readonly virtualSeconds?: number;
}

/** What a machine costs: to boot, to save, to start again, to run. Host seconds, MiB on disk. */
export interface MachineCost {
  readonly vcpus: number;
  readonly quantum: number;
  /** From power-on to the fork point, without candidates. */
  readonly bootSeconds: number;
  /** From the stop at the fork point until the snapshot is on disk, with digests. */
  readonly snapshotSeconds: number;
  readonly snapshotMiB: number;
  /** From the start of QEMU until the fork runs, median over all forks. */
  readonly restoreSeconds: number;
  readonly loads: readonly LoadCost[];
}

/** One fork: guest seconds of its command, host and processor seconds of the whole. */
interface Lap {
  readonly virtual: number;
  readonly host: number;
  readonly processor: number;
}

/**
 * Measures one machine: a snapshot of its own, then for each load pairs of forks, a short and a long one, in turn with the other loads'.
 * The difference of what they took over the difference of their guest time: start and end cancel out.
 */
export async function measureMachine(
  image: ReadyImage,
  shape: { readonly vcpus: number; readonly quantum: number },
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<MachineCost> {
  const machine = exactMachine(shape.vcpus, shape.quantum);
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-costs-'));
  try {
    const store = await openSnapshotStore(folder, { limitBytes: STORE_BYTES, signal });
    let stoppedAt = 0;
    const onStopped = () => {
      stoppedAt = performance.now();
    };
    const lab: ForkLab = {
      accelerator: 'exact',
      image,
      store,
      hostDeadlineMs: defaultHostDeadlineMs,
      onStopped,
    };
    const began = performance.now();
    const orders = labOrders('snapshot', ['/bin/true']);
    await using _held = await forkPoint(lab, orders, machine, join(folder, 'scratch'), signal);
    const savedAt = performance.now();
    const [listed] = await listSnapshots(folder);

    const restores: number[] = [];
    const options: ForkOptions = { onRunning: (seconds) => restores.push(seconds) };
    const engine = forkEngine(lab, options);
    const lap = async (load: Load, length: 'short' | 'long'): Promise<Lap | undefined> => {
      const before = endedChildSeconds();
      const trial = labOrders(length, load.command(shape.vcpus, length));
      const outcome = await engine.runTrial(trial, machine, join(folder, length), signal);
      const virtual = virtualSeconds(outcome);
      if (virtual === undefined)
        say(`${load.name}: a fork did not end well (${outcome.cause ?? outcome.ended})`);
      return virtual === undefined
        ? undefined
        : { virtual, host: outcome.hostSeconds, processor: endedChildSeconds() - before };
    };
    const pairs = new Map<Load, (readonly [Lap, Lap])[]>(LOADS.map((load) => [load, []]));
    for (let turn = 0; turn < REPETITIONS; turn++) {
      for (const [load, found] of pairs) {
        const [short, long] = [await lap(load, 'short'), await lap(load, 'long')];
        if (short && long) found.push([short, long]);
      }
    }
    const loads = [...pairs].map(([{ name }, found]) => costOf(name, found));
    return {
      ...shape,
      bootSeconds: (stoppedAt - began) / 1000,
      snapshotSeconds: (savedAt - stoppedAt) / 1000,
      snapshotMiB: Math.round((listed?.bytes ?? 0) / 2 ** 20),
      restoreSeconds: median(restores),
      loads,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Cost of a virtual second, from pairs of a short and a long fork. */
export function costOf(load: string, pairs: readonly (readonly [Lap, Lap])[]): LoadCost {
  if (pairs.length === 0) return { load };
  const slopes = (what: 'host' | 'processor') =>
    median(pairs.map(([short, long]) => (long[what] - short[what]) / (long.virtual - short.virtual)));
  return {
    load,
    host: slopes('host'),
    processor: slopes('processor'),
    virtualSeconds: median(pairs.map(([short, long]) => long.virtual - short.virtual)),
  };
}

/** The middle value, or the mean of the two; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[at] as number;
  return ((sorted[at - 1] ?? Number.NaN) + (sorted[at] ?? Number.NaN)) / 2;
}
