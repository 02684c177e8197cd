// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../core/spec.ts';
import { heldTo, type Reach, SYSTEM_CALL_FILTER } from './confine/confine.ts';
import type { Engine, GuestOutcome, Orders } from './engine.ts';
import type { ReadyImage } from './image.ts';
import { IMAGE_FILES } from './image-files.ts';
import { type HostPlay, runMachineProcess } from './machine-process.ts';
import { writeMailbox } from './mailbox.ts';
import { keepLogs, readOutcome } from './outcome.ts';
import { type Accelerator, type MachineFiles, type MachineUse, qemuArguments } from './qemu-arguments.ts';
import { qemuProgram } from './qemu-binary.ts';

/** A VM engine, and what only some callers ask of it. */
export interface VmOptions {
  /** Host time after which a machine is stopped, however far it is. */
  hostDeadlineMs(orders: Orders, machine: Machine): number;
  /** Receives the block hash of each machine; `exact` only. */
  readonly onHash?: (hash: string) => void;
  /** What is done to each machine meanwhile. */
  readonly play?: HostPlay;
}

/** Files of a machine, relative to its own folder: QEMU's options take any path but one with a comma. */
export const MACHINE_FILES = { mailbox: 'mailbox', data: 'data', console: 'console.log' } as const;
const HASH = 'hash.json';

/** QEMU's command line for a machine of `image`. */
export function machineCommand(
  accelerator: Accelerator,
  image: ReadyImage,
  machine: Machine,
  memory: MachineFiles['memory'],
  use: MachineUse,
): readonly string[] {
  const files = {
    image: image.folder,
    rootMiB: image.manifest.rootMiB,
    ...MACHINE_FILES,
    ...(memory === undefined ? {} : { memory }),
  };
  return [
    ...qemuProgram(image.folder, accelerator === 'exact' ? IMAGE_FILES.plugin : undefined),
    ...SYSTEM_CALL_FILTER,
    ...qemuArguments(accelerator, machine, files, use),
  ];
}

/** The engine that boots a machine of `image` for every trial. */
export function vmEngine(accelerator: Accelerator, image: ReadyImage, options: VmOptions): Engine {
  return {
    name: accelerator,
    async runTrial(orders, machine, folder, signal): Promise<GuestOutcome> {
      const started = performance.now();
      await mkdir(folder, { recursive: true });
      const use = askedUse(accelerator, options);
      try {
        await writeMailbox(join(folder, MACHINE_FILES.mailbox), orders);
        const command = machineCommand(accelerator, image, machine, undefined, use);
        const deadlineMs = options.hostDeadlineMs(orders, machine);
        const reach = await machineReach(accelerator, image, folder, use);
        const { play } = options;
        const end = await runMachineProcess(command, { cwd: folder, deadlineMs, signal, reach, play });
        await tellHash(options, use, folder);
        const seconds = (performance.now() - started) / 1000;
        const outcome = await readOutcome(end, saidIn(folder), seconds);
        await keepLogs(outcome, folder);
        return outcome;
      } finally {
        await removeScratch(folder);
      }
    },
  };
}

/** What a machine in `folder` needs of the host; undefined where this host cannot hold it to that. */
export function machineReach(
  accelerator: Accelerator,
  image: ReadyImage,
  folder: string,
  use: MachineUse,
  more: Partial<Pick<Reach, 'read' | 'write'>> = {},
): Promise<Reach | undefined> {
  const own = [...Object.values(MACHINE_FILES), use.hash, use.switches?.path];
  return heldTo({
    read: [image.folder, folder, ...(more.read ?? [])],
    write: [...own.flatMap((name) => (name === undefined ? [] : join(folder, name))), ...(more.write ?? [])],
    devices: accelerator === 'kvm' ? ['/dev/kvm'] : [],
  });
}

export function saidIn(folder: string): { readonly dataPath: string; readonly consolePath: string } {
  return { dataPath: join(folder, MACHINE_FILES.data), consolePath: join(folder, MACHINE_FILES.console) };
}

/** What the caller asks of a machine of `exact` besides its trial. */
export function askedUse(
  accelerator: Accelerator,
  { onHash, play }: Pick<VmOptions, 'onHash' | 'play'>,
): MachineUse {
  if (accelerator !== 'exact') return {};
  return { ...(onHash === undefined ? {} : { hash: HASH }), ...(play?.plainHost ? { plainHost: true } : {}) };
}

export async function tellHash(
  options: Pick<VmOptions, 'onHash'>,
  use: MachineUse,
  folder: string,
): Promise<void> {
  if (use.hash === undefined) return;
  options.onHash?.(await readFile(join(folder, use.hash), 'utf8').catch(() => ''));
}

/** What a machine needs only while it runs. */
export async function removeScratch(folder: string): Promise<void> {
  for (const name of [MACHINE_FILES.mailbox, MACHINE_FILES.data]) {
    await rm(join(folder, name), { force: true });
  }
}

/** Host time allowed for a trial: a boot, and the guest's own deadlines at the slowest rate seen, many times over. */
export function defaultHostDeadlineMs(orders: Orders, machine: Machine): number {
  return 240_000 + 60_000 * orders.candidates.length + 8 * machine.vcpus * orders.deadlineMs;
}
