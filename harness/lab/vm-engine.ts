// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../core/spec.ts';
import type { Engine, GuestOutcome, Orders } from './engine.ts';
import { decodeFrames } from './frames.ts';
import type { ReadyImage } from './image.ts';
import { type ProcessEnd, runMachineProcess } from './machine-process.ts';
import { writeMailbox } from './mailbox.ts';
import { type Accelerator, qemuArguments } from './qemu-arguments.ts';
import { qemuProgram } from './qemu-binary.ts';

const CONSOLE_TAIL = 16 * 1024;
/** Far more than the agent sends. */
const MAX_DATA = 64 * 2 ** 20;

/** A VM engine, and what only some callers ask of it. */
export interface VmOptions {
  /** Host time after which a machine is stopped, however far it is. */
  hostDeadlineMs(orders: Orders, machine: Machine): number;
  /** Receives the block hash of each machine; `exact` only. */
  readonly onHash?: (hash: string) => void;
}

/** The engine that boots a machine of `image` for every trial. */
export function vmEngine(accelerator: Accelerator, image: ReadyImage, options: VmOptions): Engine {
  return {
    name: accelerator,
    async runTrial(orders, machine, folder, signal): Promise<GuestOutcome> {
      const started = performance.now();
      await mkdir(folder, { recursive: true });
      // Relative to the machine's own folder: QEMU's options take any path but one with a comma.
      const files = {
        image: image.folder,
        rootMiB: image.manifest.rootMiB,
        mailbox: 'mailbox',
        data: 'data',
        console: 'console.log',
        ...(options.onHash && accelerator === 'exact' ? { hash: 'hash.json' } : {}),
      };
      try {
        await writeMailbox(join(folder, files.mailbox), orders);
        const command = [
          ...qemuProgram(image.folder),
          ...qemuArguments(accelerator, machine, orders.seed, files),
        ];
        const deadlineMs = options.hostDeadlineMs(orders, machine);
        const end = await runMachineProcess(command, { cwd: folder, deadlineMs, signal });
        if (files.hash !== undefined) {
          options.onHash?.(await readFile(join(folder, files.hash), 'utf8').catch(() => ''));
        }
        const outcome = await outcomeOf(end, join(folder, files.data), join(folder, files.console), started);
        await keepLogs(outcome, folder);
        return outcome;
      } finally {
        for (const name of [files.mailbox, files.data]) await rm(join(folder, name), { force: true });
      }
    },
  };
}

/** Host time allowed for a trial: a boot, and the guest's own deadlines at the slowest rate seen, many times over. */
export function defaultHostDeadlineMs(orders: Orders, machine: Machine): number {
  return 240_000 + 8 * machine.vcpus * orders.deadlineMs;
}

/** Which frames are kept as files beside the console, for whoever looks into a trial. */
const LOGS = { klog: 'kernel.log', 'policy-log': 'policy.log' } as const;

async function keepLogs(outcome: GuestOutcome, folder: string): Promise<void> {
  for (const [kind, name] of Object.entries(LOGS)) {
    const frame = outcome.frames.find((each) => each.kind === kind);
    if (frame !== undefined && frame.payload.length > 0) await writeFile(join(folder, name), frame.payload);
  }
}

async function outcomeOf(
  end: ProcessEnd,
  dataPath: string,
  consolePath: string,
  started: number,
): Promise<GuestOutcome> {
  const data = await readStart(dataPath, MAX_DATA);
  const { frames, fault } = decodeFrames(data);
  const done = frames.at(-1)?.kind === 'done' && fault === undefined && end.exitCode === 0;
  const cause = [describe(end), fault].filter((words) => words !== undefined).join('; ');
  return {
    ended: end.reachedDeadline ? 'deadline' : done ? 'done' : 'died',
    frames,
    transcript: createHash('sha256').update(data).digest('hex'),
    consoleTail: await readEnd(consolePath, CONSOLE_TAIL),
    ...(done || end.reachedDeadline ? {} : { cause }),
    hostSeconds: (performance.now() - started) / 1000,
  };
}

function describe(end: ProcessEnd): string {
  const { signal, exitCode } = end;
  const ran = exitCode === undefined ? 'QEMU did not start' : `QEMU exited with code ${exitCode}`;
  const how = signal === undefined ? ran : `QEMU was killed by ${signal}`;
  return end.stderr === '' ? how : `${how}: ${end.stderr.slice(-2000)}`;
}

async function readStart(path: string, limit: number): Promise<Buffer> {
  const size = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return readRange(path, 0, Math.min(size, limit));
}

async function readEnd(path: string, limit: number): Promise<string> {
  const size = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return (await readRange(path, Math.max(0, size - limit), Math.min(size, limit))).toString('utf8');
}

async function readRange(path: string, from: number, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
