// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { copyFile, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Machine } from '../../core/spec.ts';
import type { GuestOutcome, Orders, Ready } from '../engine.ts';
import { decodeFrames } from '../frames.ts';
import type { ReadyImage } from '../image.ts';
import { endOf, startMachine } from '../machine-process.ts';
import { encodeBlocks, writeMailbox } from '../mailbox.ts';
import { readOutcome } from '../outcome.ts';
import { type Accelerator, qemuArguments } from '../qemu-arguments.ts';
import type { SnapshotParts } from '../snapshots/keys.ts';
import { type Json, ramFile, SNAPSHOT_FILES } from '../snapshots/manifest.ts';
import type { Snapshot, SnapshotStore } from '../snapshots/store.ts';
import { MACHINE_FILES, machineCommand, machineReach, removeScratch, saidIn } from '../vm-engine.ts';
import { restoreState, saveState } from './migrate.ts';
import { openMonitor } from './monitor.ts';
import { stopped } from './stopped.ts';

/** What brings machines to their fork points. */
export interface ForkLab {
  readonly accelerator: Accelerator;
  readonly image: ReadyImage;
  readonly store: SnapshotStore;
  hostDeadlineMs(orders: Orders, machine: Machine): number;
  /** Called when a machine has come to its fork point and is about to be saved. */
  readonly onStopped?: () => void;
}

/** A machine that ended before its fork point, with all that it said. */
export class NoForkPoint extends Error {
  readonly outcome: GuestOutcome;
  constructor(outcome: GuestOutcome) {
    super('the machine ended before its fork point');
    this.outcome = outcome;
  }
}

/** What the engine keeps with a snapshot. */
export interface SnapshotFacts {
  readonly ready: Ready;
}

/** Raised when the same parts give another machine. */
const VERSION = 2;

/**
 * The machine of `orders`, stopped where its policy is chosen: the kept one, or one that is made now. A fork point during the run is
 * reached from the snapshot of the quiescent machine, not from power-on. `scratch` is a folder for what the machine writes.
 * Throws NoForkPoint when the guest ends earlier.
 */
export async function forkPoint(
  lab: ForkLab,
  orders: Orders,
  machine: Machine,
  scratch: string,
  signal: AbortSignal,
): Promise<Snapshot> {
  const [candidates, run] = encodeBlocks(orders).map((block) =>
    createHash('sha256').update(block).digest('hex'),
  ) as [string, string, string];
  const quiescentParts: SnapshotParts = {
    v: VERSION,
    image: lab.image.digest,
    arguments: [...qemuArguments(lab.accelerator, machine, SHAPE)],
    blocks: [candidates],
  };
  const deadlineMs = lab.hostDeadlineMs(orders, machine);
  const make = (level: Level) => (folder: string) =>
    reach(lab, machine, level, { folder, scratch, deadlineMs, signal });
  const quiescent = await lab.store.create(quiescentParts, make({ orders, blocks: 1 }));
  if (orders.forkAtMs === undefined) return quiescent;
  try {
    const files = (orders.files ?? []).map(({ content }) =>
      createHash('sha256').update(content).digest('hex'),
    );
    const parts = { ...quiescentParts, blocks: [run, ...files], parent: quiescent.key };
    return await lab.store.create(parts, make({ orders, blocks: 2, parent: quiescent }));
  } finally {
    await quiescent.release();
  }
}

/** The same paths for all machines, so that a snapshot's name does not depend on where things are. */
const SHAPE = { image: 'image', rootMiB: 0, mailbox: 'mailbox', data: 'data', console: 'console' };

/** How many blocks of the mailbox a machine reads up to its fork point, and where it starts. */
interface Level {
  readonly orders: Orders;
  readonly blocks: 1 | 2;
  readonly parent?: Snapshot;
}

interface Place {
  readonly folder: string;
  readonly scratch: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

async function reach(lab: ForkLab, machine: Machine, level: Level, place: Place): Promise<Json> {
  const { folder, scratch } = place;
  await mkdir(scratch, { recursive: true });
  await writeMailbox(join(scratch, MACHINE_FILES.mailbox), level.orders, level.blocks);
  const paths = await memoryFiles(machine, folder, level.parent);
  const use = {
    monitor: true,
    stopAtFork: lab.accelerator === 'exact',
    ...(level.parent === undefined ? {} : { restored: true }),
  };
  const command = machineCommand(lab.accelerator, lab.image, machine, { paths, mapped: 'shared' }, use);
  const before = await saidBefore(level.parent);
  const state = join(folder, SNAPSHOT_FILES.state);
  const born = level.parent && join(level.parent.folder, SNAPSHOT_FILES.state);
  const more = { read: born === undefined ? [] : [born], write: [...paths, state] };
  const reach = await machineReach(lab.accelerator, lab.image, scratch, use, more);
  const running = startMachine(command, { ...place, cwd: scratch, reach });
  try {
    const monitor = await openMonitor(running.monitor);
    if (born !== undefined) await restoreState(monitor, born);
    await stopped(lab.accelerator, monitor, level, join(scratch, MACHINE_FILES.data));
    lab.onStopped?.();
    await saveState(monitor, state);
  } catch (error) {
    const end = await endOf(running);
    throw new NoForkPoint(await readOutcome(withWords(end, error), { before, ...saidIn(scratch) }, 0));
  }
  running.kill();
  await running.ended;
  await keepWhatWasSaid(scratch, folder, before);
  await removeScratch(scratch);
  return { ready: readyOf(await readFile(join(folder, SNAPSHOT_FILES.data))) } as unknown as Json;
}

/** Files that hold the guest's memory: empty ones, or copies of the parent's that share its blocks where the file system can. */
async function memoryFiles(machine: Machine, folder: string, parent?: Snapshot): Promise<string[]> {
  const { nodes } = machine.topology;
  const paths = Array.from({ length: nodes }, (_, node) => join(folder, ramFile(node)));
  for (const [node, path] of paths.entries()) {
    if (parent === undefined) {
      const file = await open(path, 'wx');
      await file.truncate((machine.memoryMiB / nodes) * 2 ** 20);
      await file.close();
    } else {
      await execa('cp', [
        '--sparse=always',
        '--reflink=auto',
        '--',
        join(parent.folder, ramFile(node)),
        path,
      ]);
    }
  }
  return paths;
}

/** What the guest had said when the snapshot was taken. */
export async function saidBefore(
  snapshot: Snapshot | undefined,
): Promise<{ readonly data: Buffer; readonly console: string }> {
  if (snapshot === undefined) return { data: Buffer.alloc(0), console: '' };
  return {
    data: await readFile(join(snapshot.folder, SNAPSHOT_FILES.data)),
    console: await readFile(join(snapshot.folder, SNAPSHOT_FILES.console), 'utf8'),
  };
}

async function keepWhatWasSaid(
  scratch: string,
  folder: string,
  before: { readonly data: Buffer; readonly console: string },
): Promise<void> {
  const { dataPath, consolePath } = saidIn(scratch);
  await writeFile(join(folder, SNAPSHOT_FILES.data), Buffer.concat([before.data, await readFile(dataPath)]));
  await copyFile(consolePath, join(folder, SNAPSHOT_FILES.console));
  await rm(consolePath, { force: true });
}

function readyOf(data: Buffer): Ready {
  const frame = decodeFrames(data).frames.find(({ kind }) => kind === 'ready');
  return frame === undefined ? {} : (JSON.parse(frame.payload.toString('utf8')) as Ready);
}

/** A machine that was killed because something went wrong with it ended by that, not by the kill. */
function withWords<T extends { readonly stderr: string }>(end: T, error: unknown): T {
  const words = error instanceof Error ? error.message : String(error);
  return { ...end, stderr: [words, end.stderr].filter((part) => part !== '').join('; ') };
}
