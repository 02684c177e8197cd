// SPDX-License-Identifier: Apache-2.0
import { buckets, type Counted, counter } from '../../analysis/features/counted.ts';
import { PROBE_COUNTERS } from '../core/probe-counters.ts';

/** What counters say of a load, in numbers that a profile can be made of. Counts are of the whole window; times are seconds. */
export interface Look {
  readonly seconds: number;
  readonly vcpus: number;
  /** Processor time used, and time that runnable tasks waited for a processor. */
  readonly busy: number;
  readonly waited: number;
  readonly sleeps: number;
  readonly preempted: number;
  readonly wakes: number;
  readonly wakesByIdle: number;
  /** Sleeps by what tasks slept in. */
  readonly sleptIn: {
    readonly pipeOrSocket: number;
    readonly receive: number;
    readonly poll: number;
    readonly futex: number;
    readonly timer: number;
    readonly child: number;
  };
  /** Shares of wake-ups. */
  readonly sync: number;
  readonly sameProcess: number;
  readonly sameCpu: number;
  /** Entropy of who wakes whom, bits. */
  readonly pairBits: number;
  /** Processor time in runs from 1 ms on, and how many of those runs there were; mean of the others, seconds. */
  readonly longBusy: number;
  readonly longRuns: number;
  readonly shortRun: number;
  readonly forks: number;
  readonly faults: number;
  readonly pages: number;
  readonly bios: number;
  readonly bioBytes: number;
  readonly packets: number;
  readonly packetBytes: number;
  /** Socket calls, and how many of them were of UNIX sockets. */
  readonly socketCalls: number;
  readonly unixCalls: number;
}

const CALLS = Object.keys(PROBE_COUNTERS.calls);
/** First bucket of run lengths from 1.05 ms on; bucket i begins at 2^(9+i) ns. */
const LONG_FROM = 11;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);

/** Throws `AbsentCounter`. */
export function lookAt(counted: Counted): Look {
  const cpu = (name: string) => counter(counted, 'cpu', name);
  const slept = buckets(counted, 'cpu', 'sleep_in');
  const inCalls = (...names: string[]) => sum(names.map((name) => slept[CALLS.indexOf(name)] ?? 0));
  const runs = buckets(counted, 'cpu', 'run');
  const wakes = cpu('wake');
  const pairs = buckets(counted, 'cpu', 'wake_pair');
  const all = sum(pairs);
  // The middle of a bucket is half as long again as its beginning.
  const timeIn = runs.map((count, at) => count * 1.5 * 2 ** (9 + at) * 1e-9);
  const busy = cpu('run_ns') / 1e9;
  const scale = share(busy, sum(timeIn));
  const longRuns = sum(runs.slice(LONG_FROM));
  const longBusy = sum(timeIn.slice(LONG_FROM)) * scale;
  const net = (name: string) => counter(counted, 'net', name);
  return {
    seconds: counted.durationNs / 1e9,
    vcpus: counted.vcpus,
    busy,
    waited: cpu('wait_ns') / 1e9,
    sleeps: cpu('switch_sleep'),
    preempted: cpu('switch_preempt'),
    wakes,
    wakesByIdle: cpu('wake_by_idle'),
    sleptIn: {
      pipeOrSocket: inCalls('read', 'write', 'pipe'),
      receive: inCalls('send', 'receive', 'connect'),
      poll: inCalls('epoll', 'poll'),
      futex: inCalls('futex_wait', 'futex_wake', 'futex_other'),
      timer: inCalls('sleep', 'yield'),
      child: inCalls('wait'),
    },
    sync: share(cpu('wake_sync'), wakes),
    sameProcess: share(cpu('wake_same_process'), wakes),
    sameCpu: share(cpu('wake_same_cpu'), wakes),
    pairBits: pairs.reduce(
      (bits, count) => (count > 0 ? bits - (count / all) * Math.log2(count / all) : bits),
      0,
    ),
    longBusy,
    longRuns,
    shortRun: share(busy - longBusy, sum(runs) - longRuns),
    forks: cpu('fork'),
    faults: counter(counted, 'mem', 'fault_handled'),
    pages: counter(counted, 'mem', 'pages_allocated'),
    bios: counter(counted, 'io', 'bio'),
    bioBytes: counter(counted, 'io', 'bio_bytes'),
    packets: net('receive'),
    packetBytes: net('receive_bytes'),
    socketCalls: net('send') + net('receive_call'),
    unixCalls: net('send_unix') + net('receive_call_unix'),
  };
}
