// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type Frozen, openObject } from './open-object.ts';

/**
 * Counters of each set of probes, in the order of its struct in `bpf/probes/<set>.h`, which says what each means, and how many
 * numbers each has: 1, or the buckets of a histogram or table. A test holds both together.
 */
export const PROBE_COUNTERS = {
  cpu: {
    switch_sleep: 1,
    switch_preempt: 1,
    switch_from_idle: 1,
    switch_to_idle: 1,
    sleep_in: 15,
    sleep_kernel: 1,
    run_ns: 1,
    run: 24,
    wait_ns: 1,
    wait: 24,
    wait_unknown: 1,
    migrations: 1,
    depth: 16,
    wake: 1,
    wake_by_idle: 1,
    wake_same_process: 1,
    wake_same_cpu: 1,
    wake_sync: 1,
    wake_pair: 256,
    fork: 1,
    irq_device: 1,
    irq_timer: 1,
    irq_reschedule: 1,
    irq_call: 1,
    softirq: 10,
    cycles: 1,
    instructions: 1,
    llc_references: 1,
    llc_misses: 1,
  },
  mem: {
    fault_user: 1,
    fault_user_write: 1,
    fault_kernel: 1,
    fault_handled: 1,
    fault_major: 1,
    pages_allocated: 1,
    pages_freed: 1,
    pages_swapped_in: 1,
    pages_swapped_out: 1,
    reclaim_direct: 1,
    reclaim_direct_pages: 1,
    reclaim_kswapd_wake: 1,
    reclaim_scanned: 1,
    reclaim_reclaimed: 1,
  },
  io: {
    issue_read: 1,
    issue_write: 1,
    issue_other: 1,
    read_bytes: 1,
    write_bytes: 1,
    size: 24,
    complete: 1,
    error: 1,
    latency_ns: 1,
    latency: 24,
    latency_unknown: 1,
    bio: 1,
    bio_bytes: 1,
  },
  net: {
    transmit: 1,
    transmit_bytes: 1,
    receive: 1,
    receive_bytes: 1,
    send: 1,
    send_bytes: 1,
    send_fail: 1,
    send_unix: 1,
    receive_call: 1,
    receive_call_bytes: 1,
    receive_call_fail: 1,
    receive_call_unix: 1,
    tcp_state: 16,
    tcp_retransmit: 1,
  },
  calls: {
    other: 1,
    read: 1,
    write: 1,
    send: 1,
    receive: 1,
    connect: 1,
    epoll: 1,
    poll: 1,
    futex_wait: 1,
    futex_wake: 1,
    futex_other: 1,
    pipe: 1,
    sleep: 1,
    yield: 1,
    wait: 1,
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;

export type ProbeSet = keyof typeof PROBE_COUNTERS;
export const PROBE_SETS = Object.keys(PROBE_COUNTERS) as ProbeSet[];

/**
 * Counters that programs at rare events keep, or that are copied when they are read: they count all the time. All others may be counted
 * for a part of the time only (`Probes.onMs`), and are scaled up then.
 */
const ALWAYS: Readonly<Record<ProbeSet, readonly string[]>> = {
  cpu: [
    ...['fork', 'irq_device', 'irq_timer', 'irq_reschedule', 'irq_call', 'softirq'],
    ...['cycles', 'instructions', 'llc_references', 'llc_misses'],
  ],
  mem: [
    ...['fault_handled', 'fault_major', 'pages_allocated', 'pages_freed', 'pages_swapped_in'],
    ...['pages_swapped_out', 'reclaim_direct', 'reclaim_direct_pages', 'reclaim_kswapd_wake'],
    ...['reclaim_scanned', 'reclaim_reclaimed'],
  ],
  io: [],
  net: ['tcp_state', 'tcp_retransmit'],
  calls: [],
};

/** What one set counted in a trial, as the guest sends it: readings before the run, in it, and after it. */
export interface ProbeReadings {
  readonly set: ProbeSet;
  /** Events that no program saw, because one was interrupted by its own event. */
  readonly missed: number;
  /** How long after it was due the latest reading came, ns; absent from guests that do not say so. */
  readonly lateNs?: number;
  /** When each reading was, ns since the first. */
  readonly atNs: readonly number[];
  /** For how long until each reading frequent events were counted, ns; absent: all the time. */
  readonly countedNs?: readonly number[];
  /** A row between each two readings: what was added, in the order of `PROBE_COUNTERS`; null is absent. */
  readonly counts: readonly (readonly (number | null)[])[];
}

/** What one set counted: in the whole run of a trial's record, or in one window of it. */
export const ProbeTotalsSchema = openObject({
  /** How long was counted: guest time from the first reading to the last, ns. */
  ns: z.number().nonnegative(),
  missed: z.int().nonnegative(),
  /** Where events that come often were counted for this part of `ns` only: their counters are estimates, scaled up to all of it. */
  sampledNs: z.number().nonnegative().exactOptional(),
  /** By name; a counter that kernel or machine does not have is absent. */
  counters: z.record(z.string(), z.union([z.number(), z.array(z.number())])),
});

export type ProbeTotals = Frozen<z.infer<typeof ProbeTotalsSchema>>;
/** Values of a set's counters by name. */
export type ProbeValues = ProbeTotals['counters'];

const Readings = z.strictObject({
  set: z.enum(PROBE_SETS),
  fields: z.int().positive(),
  missed: z.int().nonnegative(),
  lateNs: z.number().nonnegative().optional(),
  atNs: z.array(z.number().nonnegative()).min(2),
  countedNs: z.array(z.number().nonnegative()).optional(),
  counts: z.array(z.array(z.union([z.number().nonnegative(), z.null()]))).min(1),
});

/** The readings in the payload of a guest's `probes` frame; undefined when it holds anything else, or another struct's numbers. */
export function readProbes(payload: Buffer): ProbeReadings | undefined {
  const { data } = Readings.safeParse(parseJson(payload));
  if (data === undefined || data.atNs.length !== data.counts.length + 1) return undefined;
  const { fields, countedNs, lateNs, ...rest } = data;
  if (countedNs !== undefined && countedNs.length !== data.atNs.length) return undefined;
  // Time does not run backwards, and nobody counts so far: a guest that says so has made it up.
  if (!rises(data.atNs) || !rises(countedNs ?? []) || !data.counts.every(isCountable)) return undefined;
  const readings = {
    ...rest,
    ...(lateNs === undefined ? {} : { lateNs }),
    ...(countedNs === undefined ? {} : { countedNs }),
  };
  const width = widthOf(data.set);
  return fields === width && data.counts.every((row) => row.length === width) ? readings : undefined;
}

function rises(values: readonly number[]): boolean {
  return values.every((value, at) => value <= MOST && value >= (values[at - 1] ?? 0));
}

/** More than any counter holds, less than what is left when a counter that fell is subtracted in 64 bits. */
const MOST = 2 ** 63;

function isCountable(row: readonly (number | null)[]): boolean {
  return row.every((value) => value === null || value <= MOST);
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Numbers in a row of this set. */
function widthOf(set: ProbeSet): number {
  return Object.values(PROBE_COUNTERS[set]).reduce((sum, length) => sum + length, 0);
}

/** Names the numbers of a row. Throws RangeError when there are not as many as the set has. */
export function nameCounters(set: ProbeSet, row: readonly (number | null)[]): ProbeValues {
  const layout = Object.entries(PROBE_COUNTERS[set]);
  const width = widthOf(set);
  if (row.length !== width) throw new RangeError(`${set}: ${row.length} counters, expected ${width}`);
  const named: Record<string, number | readonly number[]> = {};
  let at = 0;
  for (const [name, length] of layout) {
    const values = row.slice(at, at + length);
    at += length;
    // A histogram with a bucket that is not known says nothing.
    if (!values.every((value) => value !== null)) continue;
    named[name] = length === 1 ? (values[0] as number) : values;
  }
  return named;
}

/** Adds up all windows. A counter that is absent in one is absent in the sum. */
export function totalCounters({ set, missed, atNs, countedNs, counts }: ProbeReadings): ProbeTotals {
  const [first = [], ...rest] = counts;
  const sum = rest.reduce((total, row) => total.map((value, at) => plus(value, row[at] ?? null)), first);
  const totals = { ns: growthOf(atNs), missed, counters: nameCounters(set, sum) };
  return countedNs === undefined ? totals : scaledUp(set, totals, growthOf(countedNs));
}

function growthOf(values: readonly number[]): number {
  return (values.at(-1) ?? 0) - (values[0] ?? 0);
}

/**
 * Counters of a stretch of time in which events that come often were counted for `sampledNs` only, as estimates for all of it, whole numbers.
 * Where that was no time at all, nothing is known of them: they are absent.
 */
export function scaledUp(set: ProbeSet, totals: ProbeTotals, sampledNs: number): ProbeTotals {
  const counters: Record<string, number | readonly number[]> = {};
  const scaled = (value: number) => Math.round((value * totals.ns) / sampledNs);
  for (const [name, value] of Object.entries(totals.counters)) {
    if (ALWAYS[set].includes(name)) counters[name] = value;
    else if (sampledNs > 0) counters[name] = typeof value === 'number' ? scaled(value) : value.map(scaled);
  }
  return { ...totals, sampledNs, counters };
}

function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** A window of a trial: from one reading to the next, ns since the first. */
export interface ProbeWindow {
  readonly set: ProbeSet;
  readonly fromNs: number;
  readonly toNs: number;
  /** See {@link ProbeTotals}. */
  readonly sampledNs?: number;
  readonly counters: ProbeValues;
}

/** The windows of a set's readings, in order. */
export function nameWindows(readings: ProbeReadings): ProbeWindow[] {
  const { set, atNs, countedNs, counts } = readings;
  return counts.map((row, at) => {
    const between = (values: readonly number[]) => values.slice(at, at + 2);
    const one = { set, missed: 0, atNs: between(atNs), counts: [row] };
    const { counters, sampledNs } = totalCounters(
      countedNs === undefined ? one : { ...one, countedNs: between(countedNs) },
    );
    const [fromNs, toNs] = one.atNs as [number, number];
    return { set, fromNs, toNs, ...(sampledNs === undefined ? {} : { sampledNs }), counters };
  });
}
