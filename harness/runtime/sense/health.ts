// SPDX-License-Identifier: Apache-2.0
import type { ProbeValues } from '../../core/probe-counters.ts';
import type { Health, Window } from '../contracts.ts';
import type { PressureTotals } from './pressure.ts';

/** Bucket i of a histogram of times begins at 2^(9+i) ns (bpf/probes/probe.h). */
const FIRST_BUCKET = 9;

/** How the machine fared in a window of `ns` on `cpus` processors. `given` is a counter of the application's own, as far as it grew. */
export function healthOf(
  counters: Window['counters'],
  pressure: PressureTotals,
  ns: number,
  cpus: number,
  given?: number,
): Health {
  const cpu = counters.cpu?.counters;
  const busy = number(cpu, 'run_ns');
  const waits = list(cpu, 'wait');
  const waitNs = number(cpu, 'wait_ns');
  const waited = waits === undefined ? 0 : sum(waits);
  const p99 = waits === undefined ? undefined : percentileNs(waits, 0.99);
  return {
    ...(p99 === undefined ? {} : { waitP99Us: p99 / 1000 }),
    ...(waitNs === undefined || waited === 0 ? {} : { waitMeanUs: waitNs / waited / 1000 }),
    pressure,
    ...(busy === undefined || !(ns > 0) ? {} : { busy: Math.min(1, busy / (ns * cpus)) }),
    ...progressOf(counters, ns, given),
  };
}

/** The first of these that is known: what an application says of itself, instructions, system calls, messages. */
function progressOf(
  counters: Window['counters'],
  ns: number,
  given: number | undefined,
): Pick<Health, 'progress' | 'progressUnit'> {
  const seconds = ns / 1e9;
  if (!(seconds > 0)) return {};
  const rate = (count: number, progressUnit: NonNullable<Health['progressUnit']>) => ({
    progress: count / seconds,
    progressUnit,
  });
  if (given !== undefined) return rate(given, 'given');
  const instructions = number(counters.cpu?.counters, 'instructions');
  if (instructions !== undefined) return rate(instructions, 'instructions');
  const calls = counters.calls?.counters;
  if (calls !== undefined) {
    const worked = ['read', 'write', 'send', 'receive'].map((name) => number(calls, name));
    if (worked.every((count) => count !== undefined)) return rate(sum(worked), 'calls');
  }
  const [sent, received] = ['send', 'receive_call'].map((name) => number(counters.net?.counters, name));
  if (sent !== undefined && received !== undefined && sent + received > 0)
    return rate(sent + received, 'messages');
  return {};
}

/** Upper edge of the bucket that holds the percentile, ns; undefined when nothing was counted. */
export function percentileNs(histogram: readonly number[], share: number): number | undefined {
  const total = sum(histogram);
  if (!(total > 0)) return undefined;
  let below = 0;
  const at = histogram.findIndex((count) => {
    below += count;
    return below >= share * total;
  });
  return 2 ** (FIRST_BUCKET + (at < 0 ? histogram.length - 1 : at) + 1);
}

function number(values: ProbeValues | undefined, name: string): number | undefined {
  const value = values?.[name];
  return typeof value === 'number' ? value : undefined;
}

function list(values: ProbeValues | undefined, name: string): readonly number[] | undefined {
  const value = values?.[name];
  return typeof value === 'object' ? value : undefined;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
