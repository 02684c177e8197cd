// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { canonicalJson } from '../core/ids.ts';
import { SCHED_CLASSES, type SchedClass } from './events.ts';
import { stuckFault } from './playable.ts';
import type { Operation, Trace, TracedTask } from './trace.ts';

/** As in workloads/replay/trace.h. */
const MAX_TASKS = 20_000;
const MAX_NS = 86_400e9;
/** Longest trace file. */
export const MAX_TRACE_BYTES = 64 * 2 ** 20;

const HEADER = /^pmvx-trace (\d{1,9}) (\d{1,12}) ([0-9a-f]{8})$/;
const count = z.int().min(0);
const words = z.string().max(4096);

const About = z.strictObject({
  origin: z.strictObject({
    kernel: words,
    cpus: z.int().min(1).max(8192),
    command: z.array(words).max(1024),
    engine: words.optional(),
    image: words.optional(),
    workload: words.optional(),
    variant: words.optional(),
    policy: words.optional(),
    seed: count.optional(),
  }),
  figures: z.strictObject({
    durationNs: count,
    switches: count,
    preemptions: count,
    interruptions: count,
    runNs: count,
    runnableNs: count,
    lost: count,
  }),
  tasks: z.int().min(1).max(MAX_TASKS),
});

/**
 * A trace as text: a line with format, length and CRC-32 of what follows; a line of JSON about its origin; a line a task: its name
 * and its operations, each a letter and a number. workloads/replay/trace.h reads the same.
 * Throws RangeError for what nobody could play to its end.
 */
export function encodeTrace({ origin, figures, tasks }: Trace): Buffer {
  const stuck = stuckFault(tasks);
  if (stuck !== undefined) throw new RangeError(stuck);
  const lines = tasks.map(({ name, operations }) => [nameWord(name), ...operations.map(word)].join(' '));
  const about = canonicalJson({ origin, figures, tasks: tasks.length });
  const body = Buffer.from(`${[about, ...lines].join('\n')}\n`);
  return Buffer.concat([Buffer.from(`pmvx-trace 1 ${body.length} ${crcOf(body)}\n`), body]);
}

/** Reads a trace file. Untrusted: everything is checked. Throws RangeError with one sentence on what is wrong. */
export function decodeTrace(data: Buffer): Trace {
  if (data.length > MAX_TRACE_BYTES) {
    throw new RangeError(`${data.length} bytes are too many for a trace; at most ${MAX_TRACE_BYTES}`);
  }
  const end = data.subarray(0, 64).indexOf(10);
  const [, version, length, crc] = HEADER.exec(data.toString('latin1', 0, Math.max(0, end))) ?? [];
  if (version === undefined) throw new RangeError('no trace: its first line is no `pmvx-trace` header');
  if (version !== '1') throw new RangeError(`a trace of version ${version}; this program reads version 1`);
  const body = data.subarray(end + 1);
  if (body.length < Number(length)) {
    throw new RangeError(`cut off: ${body.length} of ${length} bytes are there`);
  }
  if (body.length > Number(length)) {
    throw new RangeError(`longer than it says: ${body.length} bytes instead of ${length}`);
  }
  if (crcOf(body) !== crc) throw new RangeError('damaged: its CRC does not match');
  const text = body.toString('utf8');
  if (!text.endsWith('\n')) throw new RangeError('its last line has no end');
  const [about = '', ...lines] = text.slice(0, -1).split('\n');
  const head = aboutOf(about);
  if (head.tasks !== lines.length) {
    throw new RangeError(`it names ${head.tasks} tasks and has lines for ${lines.length}`);
  }
  const tasks = lines.map((line, at) => taskOf(line, at + 3, lines.length));
  const stuck = stuckFault(tasks);
  if (stuck !== undefined) throw new RangeError(stuck);
  return { origin: head.origin as Trace['origin'], figures: head.figures, tasks };
}

function crcOf(body: Buffer): string {
  return crc32(body).toString(16).padStart(8, '0');
}

function aboutOf(line: string): z.infer<typeof About> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new RangeError('line 2 is no JSON');
  }
  const { data, error } = About.safeParse(value);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw new RangeError(`line 2: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** In one word of printable ASCII. */
function nameWord(name: string): string {
  return encodeURIComponent(name) || '-';
}

const CLASS_LETTERS = { other: 'n', fifo: 'f', rr: 'R', batch: 'B', idle: 'I' } as const satisfies Record<
  SchedClass,
  string
>;

function word(operation: Operation): string {
  switch (operation.do) {
    case 'run':
      return `r${operation.ns}`;
    case 'wake':
      return `w${operation.task}`;
    case 'wait':
      return `${operation.sync ? 'y' : 'b'}${operation.task}`;
    case 'waitEnd':
      return `e${operation.task}`;
    case 'afterEnd':
      return `j${operation.task}`;
    case 'share':
      return `o${operation.work}`;
    case 'start':
      return `x${operation.task}`;
    case 'sleep':
      return `s${operation.ns}`;
    case 'period':
      return `p${operation.ns}`;
    case 'cpus':
      return `c${operation.mask.toString(16)}`;
    case 'class':
      return `${CLASS_LETTERS[operation.class]}${operation.level}`;
  }
}

function taskOf(line: string, at: number, tasks: number): TracedTask {
  const [name = '', ...rest] = line.split(' ');
  if (!/^[!-~]{1,64}$/.test(name)) throw new RangeError(`line ${at}: no task's name`);
  const operations = rest.map((text) => {
    const operation = operationOf(text);
    const quoted = JSON.stringify(text.slice(0, 40));
    if (operation === undefined) throw new RangeError(`line ${at}: ${quoted} is no operation`);
    if ('task' in operation && operation.task >= tasks) {
      throw new RangeError(`line ${at}: ${quoted} is about task ${operation.task} of ${tasks}`);
    }
    return operation;
  });
  return { name: decodedName(name), operations };
}

function decodedName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const CLASSES = Object.fromEntries(
  Object.values(SCHED_CLASSES).map((name) => [CLASS_LETTERS[name], name]),
) as Readonly<Record<string, SchedClass>>;

function operationOf(text: string): Operation | undefined {
  const [, letter = '', digits = ''] = /^([a-zA-Z])(-?[0-9a-f]{1,15})$/.exec(text) ?? [];
  if (letter === 'c') return { do: 'cpus', mask: Number.parseInt(digits, 16) };
  if (!/^-?\d+$/.test(digits)) return undefined;
  const value = Number(digits);
  const of = CLASSES[letter];
  if (of !== undefined) {
    const [least, most] = of === 'fifo' || of === 'rr' ? [1, 99] : [-20, 19];
    return value >= least && value <= most ? { do: 'class', class: of, level: value } : undefined;
  }
  if (value < 0) return undefined;
  if (letter === 'w') return { do: 'wake', task: value };
  if (letter === 'b') return { do: 'wait', task: value };
  if (letter === 'y') return { do: 'wait', task: value, sync: true };
  if (letter === 'e') return { do: 'waitEnd', task: value };
  if (letter === 'j') return { do: 'afterEnd', task: value };
  if (letter === 'x') return { do: 'start', task: value };
  if (letter === 'o') return value < MAX_TASKS ? { do: 'share', work: value } : undefined;
  if (value > MAX_NS) return undefined;
  if (letter === 'r') return { do: 'run', ns: value };
  if (letter === 's') return { do: 'sleep', ns: value };
  return letter === 'p' ? { do: 'period', ns: value } : undefined;
}
