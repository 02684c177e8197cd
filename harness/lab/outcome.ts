// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameWindows, readProbes } from '../core/probe-counters.ts';
import type { GuestOutcome } from './engine.ts';
import { decodeFrames } from './frames.ts';
import type { ProcessEnd } from './machine-process.ts';

const CONSOLE_KEPT = 32 * 1024;
/** Far more than the agent sends. */
const MAX_DATA = 64 * 2 ** 20;

/** Which frames are kept as files beside the console, for whoever looks into a trial. */
const LOGS = { klog: 'kernel.log', 'policy-log': 'policy.log' } as const;

/** What probes counted, window by window. */
const PROBES = 'probes.jsonl';

export interface Transcript {
  /** What the guest had sent before the fork point, and its console; empty for a machine that was booted. */
  readonly before?: { readonly data: Buffer; readonly console: string };
  readonly dataPath: string;
  readonly consolePath: string;
}

/** All that a machine said, and how it ended. */
export async function readOutcome(
  end: ProcessEnd,
  said: Transcript,
  hostSeconds: number,
): Promise<GuestOutcome> {
  const own = await readStart(said.dataPath, MAX_DATA);
  const data = said.before === undefined ? own : Buffer.concat([said.before.data, own]);
  const { frames, fault } = decodeFrames(data);
  const done = frames.at(-1)?.kind === 'done' && fault === undefined && end.exitCode === 0;
  const cause = [describe(end), fault].filter((words) => words !== undefined).join('; ');
  const console = (said.before?.console ?? '') + (await readEnds(said.consolePath, CONSOLE_KEPT));
  return {
    ended: end.reachedDeadline ? 'deadline' : done ? 'done' : 'died',
    frames,
    transcript: createHash('sha256').update(data).digest('hex'),
    consoleTail: headAndTail(console, CONSOLE_KEPT),
    ...(done || end.reachedDeadline ? {} : { cause }),
    hostSeconds,
  };
}

/** Writes the kernel's and the policy's log, and the windows of probes, into the trial's folder. */
export async function keepLogs(outcome: GuestOutcome, folder: string): Promise<void> {
  for (const [kind, name] of Object.entries(LOGS)) {
    const frame = outcome.frames.find((each) => each.kind === kind);
    if (frame !== undefined && frame.payload.length > 0) await writeFile(join(folder, name), frame.payload);
  }
  const readings = outcome.frames
    .filter(({ kind }) => kind === 'probes')
    .map(({ payload }) => readProbes(payload));
  const lines = readings.flatMap((each) => (each === undefined ? [] : nameWindows(each)));
  if (lines.length > 0) {
    await writeFile(join(folder, PROBES), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
}

function describe(end: ProcessEnd): string {
  const { signal, exitCode } = end;
  const ran = exitCode === undefined ? 'QEMU did not start' : `QEMU exited with code ${exitCode}`;
  const how = signal === undefined ? ran : `QEMU was killed by ${signal}`;
  return end.stderr === '' ? how : `${how}: ${end.stderr.slice(-2000)}`;
}

async function readStart(path: string, limit: number): Promise<Buffer> {
  return readRange(path, 0, Math.min(await sizeOf(path), limit));
}

/** A text, or its first and last half and between them how much is left out. */
async function readEnds(path: string, limit: number): Promise<string> {
  const size = await sizeOf(path);
  if (size <= limit) return (await readRange(path, 0, size)).toString('utf8');
  const half = limit / 2;
  const [first, last] = [await readRange(path, 0, half), await readRange(path, size - half, half)];
  return first.toString('utf8') + leftOut(size - limit) + last.toString('utf8');
}

function headAndTail(text: string, limit: number): string {
  if (text.length <= limit + 100) return text;
  const half = limit / 2;
  return text.slice(0, half) + leftOut(text.length - limit) + text.slice(-half);
}

function leftOut(bytes: number): string {
  return `\n[pmvx: ${bytes} bytes left out]\n`;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
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
