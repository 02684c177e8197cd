// SPDX-License-Identifier: Apache-2.0
import { appendFile, open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Counted } from '../../analysis/features/counted.ts';
import { workloadVector } from '../../analysis/features/workload-vector.ts';
import type { Machine } from '../../analysis/policy-map/evidence.ts';
import { canonicalJson, shortDigest } from '../core/ids.ts';
import { PROBE_SETS, type ProbeValues } from '../core/probe-counters.ts';
import { ENGINE_NAMES } from '../core/trial.ts';

/** A window of the queue that the daemon writes: something that it knew nothing about. */
export interface QueuedWindow {
  /** Names the window: 16 hexadecimal digits of its content. */
  readonly key: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly machine: Machine;
  readonly counted: Counted;
  /** Unit length, of this pmvx's features. */
  readonly vector: readonly number[];
  /** A recording of what ran, where there is one: a path as the daemon's machine has it. */
  readonly trace?: string;
}

const count = z.int().min(1);
const totals = z.object({
  ns: z.number().positive(),
  counters: z.record(z.string(), z.union([z.number(), z.array(z.number())])),
});
const Line = z.object({
  v: z.literal(1),
  at: z.string(),
  machine: z.object({
    engine: z.enum(ENGINE_NAMES),
    kernel: z.string(),
    nodes: count,
    sockets: count,
    cores: count,
    threads: count,
    cpu: z.string(),
  }),
  window: z.object({ ms: z.number().positive(), counters: z.partialRecord(z.enum(PROBE_SETS), totals) }),
  trace: z.string().min(1).optional(),
});

export interface ReadQueue {
  readonly windows: readonly QueuedWindow[];
  /** Lines that are none, each with its number and what is wrong. */
  readonly faults: readonly string[];
}

/**
 * The windows of a queue, in order, each content once. A last line without its end is left for the next time: it is being written. The
 * vector is made anew from the counters, so that a queue of an older version is understood as long as its counters are. Rejects with the
 * system's error when the file cannot be read.
 */
export async function readQueue(path: string): Promise<ReadQueue> {
  const text = await readFile(path, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const windows = new Map<string, QueuedWindow>();
  const faults: string[] = [];
  lines.forEach((line, index) => {
    if (line.trim() === '') return;
    const read = windowOf(line);
    if (typeof read === 'string') faults.push(`${path}:${index + 1}: ${read}`);
    else if (!windows.has(read.key)) windows.set(read.key, read);
  });
  return { windows: [...windows.values()], faults };
}

function windowOf(line: string): QueuedWindow | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not valid JSON';
  }
  const read = Line.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return `no window: ${issue?.path.join('.')}: ${issue?.message}`;
  }
  const { at, machine, window, trace } = read.data;
  const { nodes, sockets, cores, threads } = machine;
  const sets = Object.fromEntries(
    Object.entries(window.counters).map(([set, { counters }]) => [set, counters as ProbeValues]),
  );
  const counted: Counted = { durationNs: window.ms * 1e6, vcpus: nodes * sockets * cores * threads, sets };
  const vector = workloadVector(counted);
  if (vector.kind === 'unknown') return `it has no vector: ${vector.why}`;
  const key = shortDigest(canonicalJson({ at, machine, counters: window.counters }));
  return { key, at, machine, counted, vector: vector.values, ...(trace === undefined ? {} : { trace }) };
}

/** What became of a window, a line of the file beside the queue. */
export type Tuned = {
  readonly v: 1;
  readonly key: string;
  /** When that was, ISO 8601, UTC. */
  readonly at: string;
  readonly vector: readonly number[];
} & (
  | {
      readonly outcome: 'learnt';
      /** Workload and variant that look like it, how much, and the run whose evidence the map has. */
      readonly workload: string;
      readonly variant: string;
      readonly cosine: number;
      readonly run: string;
      /** The same of the run's trials under EEVDF, each with a seed of its own. */
      readonly cosines: readonly number[];
      /** What the map says of the window since. */
      readonly recommend: string;
      readonly why: string;
    }
  | { readonly outcome: 'same-as'; readonly other: string; readonly cosine: number }
  | {
      readonly outcome: 'unlike' /** Nothing that was tried looked enough like it. */;
      readonly cosine?: number;
      readonly tries: number;
    }
);

/** Where a queue's `Tuned` lines are. */
export function tunedPath(queue: string): string {
  return `${queue.replace(/\.jsonl$/, '')}.tuned.jsonl`;
}

/** What became of windows so far; none when there is no file. A broken line is as good as none: its window is tuned again. */
export async function readTuned(path: string): Promise<Tuned[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    try {
      const value = JSON.parse(line) as Partial<Tuned>;
      return value.v === 1 && typeof value.key === 'string' && Array.isArray(value.vector)
        ? [value as Tuned]
        : [];
    } catch {
      return [];
    }
  });
}

/** Adds a line and sees that it is on the disk; after half a line it begins a new one. */
export async function noteTuned(path: string, tuned: Tuned): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => '');
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  await appendFile(path, `${gap}${JSON.stringify(tuned)}\n`, { mode: 0o640 });
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
