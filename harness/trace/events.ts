// SPDX-License-Identifier: Apache-2.0

/** What the kernel told the recorder; layout in bpf/recorder/record.h. Tasks are pids, 0 is a task that is not followed. */
export type SchedEvent =
  | {
      readonly kind: 'switch';
      readonly atNs: number;
      readonly leaves: number;
      readonly comes: number;
      readonly leave: Leave;
    }
  | {
      readonly kind: 'wake';
      readonly atNs: number;
      readonly by: By;
      readonly waker: number;
      readonly woken: number;
    }
  | { readonly kind: 'start'; readonly atNs: number; readonly parent: number; readonly child: number }
  | ({
      readonly kind: 'task';
      readonly atNs: number;
      readonly task: number;
      readonly name: string;
    } & Scheduling);

/** How a task left its CPU: it could have gone on, it waits for something, or it has ended. */
export type Leave = 'preempted' | 'blocked' | 'dead';

/**
 * Who woke a task: another one, a timer, a device or a task that is not followed, another one because it ended, or another one that was
 * about to wait itself, as it does who writes into a pipe or a socket (the kernel's WF_SYNC).
 */
export type By = 'task' | 'timer' | 'other' | 'end' | 'sync';

export interface Scheduling {
  readonly class: SchedClass;
  /** Nice value, or priority in the classes `fifo` and `rr`. */
  readonly level: number;
  /** Mask of the CPUs that it may use; 0 for all. */
  readonly cpus: number;
}

export const SCHED_CLASSES = { 0: 'other', 1: 'fifo', 2: 'rr', 3: 'batch', 5: 'idle' } as const;
export type SchedClass = (typeof SCHED_CLASSES)[keyof typeof SCHED_CLASSES];

/** A whole recording, events in the order of their time. Times are nanoseconds since `start`. */
export interface Recording {
  readonly kernel: string;
  readonly cpus: number;
  /** Pid of the program that was started. */
  readonly root: number;
  readonly durationNs: number;
  readonly lost: number;
  readonly events: readonly SchedEvent[];
}

const HEADER =
  /^PMVX-EVENTS (\d+) kernel (\S+) cpus (\d+) root (\d+) start (\d+) end (\d+) lost (\d+) counts ([\d,]+)$/;
const MAX_HEADER = 8192;
const EVENT_BYTES = 24;
const LEAVES: readonly (Leave | undefined)[] = ['preempted', 'blocked', 'dead'];
const BY: readonly (By | undefined)[] = ['task', 'timer', 'other', 'end', 'sync'];

/** Reads what `record` wrote. Throws RangeError that says what is wrong with it. */
export function decodeEvents(data: Buffer): Recording {
  const end = data.subarray(0, MAX_HEADER).indexOf(10);
  const [, version, kernel = '', ...numbers] =
    HEADER.exec(data.toString('latin1', 0, Math.max(end, 0))) ?? [];
  if (version === undefined) throw new RangeError('no recording: its first line is no header');
  if (version !== '1') throw new RangeError(`a recording of version ${version}, wanted 1`);
  const [cpus = '', root = '', start = '', stop = '', lost = '', list = ''] = numbers;
  const counts = list.split(',').map(Number);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const wanted = end + 1 + total * EVENT_BYTES;
  if (data.length !== wanted) throw new RangeError(`a recording of ${data.length} bytes, wanted ${wanted}`);
  const startNs = BigInt(start);
  const events: SchedEvent[] = [];
  for (let at = end + 1; at < data.length; at += EVENT_BYTES) {
    const event = eventAt(data, at, startNs);
    if (event.kind === 'task') at += EVENT_BYTES;
    // Before the start the program was held, while the recorder attached itself: only what it is called is of interest.
    if (event.atNs >= 0 || event.kind === 'task') events.push(event);
  }
  // Each CPU wrote in its own order; the sort is stable.
  events.sort((a, b) => a.atNs - b.atNs);
  return {
    ...{ kernel, cpus: Number(cpus), root: Number(root), lost: Number(lost) },
    durationNs: Number(BigInt(stop) - startNs),
    events,
  };
}

function eventAt(data: Buffer, at: number, startNs: bigint): SchedEvent {
  const kind = data[at + 20];
  const [a, b, value] = [8, 12, 16].map((offset) => data.readUInt32LE(at + offset)) as [
    number,
    number,
    number,
  ];
  const atNs = Number(data.readBigUInt64LE(at) - startNs);
  switch (kind) {
    case 1: {
      const leave = LEAVES[value];
      if (leave === undefined) throw new RangeError(`event at byte ${at}: way to leave ${value} is unknown`);
      return { kind: 'switch', atNs, leaves: a, comes: b, leave };
    }
    case 2: {
      const by = BY[value];
      if (by === undefined) throw new RangeError(`event at byte ${at}: waker of kind ${value} is unknown`);
      return { kind: 'wake', atNs, by, waker: a, woken: b };
    }
    case 3:
      return { kind: 'start', atNs, parent: a, child: b };
    case 4: {
      const next = at + EVENT_BYTES;
      if (next >= data.length || data[next + 20] !== 5)
        throw new RangeError(`event at byte ${at}: a task without a name`);
      const name = data.toString('latin1', next, next + 16).replace(/\0.*$/s, '');
      return { kind: 'task', atNs, task: a, name, cpus: b, ...classOf(value, at) };
    }
    default:
      throw new RangeError(`event at byte ${at}: kind ${kind} is unknown`);
  }
}

function classOf(value: number, at: number): Pick<Scheduling, 'class' | 'level'> {
  const name = (SCHED_CLASSES as Readonly<Record<number, SchedClass>>)[value >> 8];
  if (name === undefined)
    throw new RangeError(`event at byte ${at}: scheduling class ${value >> 8} is unknown`);
  const level = value & 0xff;
  return { class: name, level: name === 'fifo' || name === 'rr' ? level : level - 20 };
}
