// SPDX-License-Identifier: Apache-2.0
import { PROBE_COUNTERS } from '../../harness/core/probe-counters.ts';
import { buckets, type Counted, counter } from './counted.ts';

/** A number, and on how many events it rests: few say little, however extreme the number. */
export interface Reading {
  readonly value: number;
  readonly events: number;
}

/** One dimension of a workload vector, before scaling. */
export interface Feature {
  readonly name: string;
  readonly unit: 'share' | 'log2 us' | 'log2 1/s' | 'log2 bytes' | 'bits' | 'tasks' | 'ratio';
  /** In the counters of `bpf/probes`; `busy` is `cpu.run_ns`, so that rates are of busy processor time and do not shrink as a machine idles. */
  readonly formula: string;
  readonly why: string;
  /** Throws `AbsentCounter`. */
  readonly of: (counted: Counted) => Reading;
}

/** Name of this list with its scales. Another formula, scale or order is another version: their vectors cannot be compared. */
export const FEATURES_VERSION = 'features-1';

/** First bucket of a log2 histogram of times (`PMVX_TIMES`) at or above: bucket i begins at 2^(9+i) ns. */
const FROM_64_US = 7;
const FROM_1_MS = 11;
const FROM_4_MS = 13;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const share = (part: number, whole: number): Reading => ({
  value: whole > 0 ? part / whole : 0,
  events: whole,
});
const log = (value: number) => Math.log2(1 + value);

const cpu = (counted: Counted, name: string) => counter(counted, 'cpu', name);
const busySeconds = (counted: Counted) => cpu(counted, 'run_ns') / 1e9;

/** Events a second of busy processor time. A rate of no events is as well known as the time is long, so it rests on 64 events each second. */
function rate(counted: Counted, events: number): Reading {
  const seconds = busySeconds(counted);
  return { value: log(seconds > 0 ? events / seconds : 0), events: events + 64 * seconds };
}

function meanUs(totalNs: number, events: number): Reading {
  return { value: log(events > 0 ? totalNs / 1000 / events : 0), events };
}

function shareFrom(histogram: readonly number[], first: number): Reading {
  return share(sum(histogram.slice(first)), sum(histogram));
}

function switches(counted: Counted): number {
  return cpu(counted, 'switch_sleep') + cpu(counted, 'switch_preempt') + cpu(counted, 'switch_from_idle');
}

/** Members of `struct pmvx_calls`, in their order. */
const CALLS = Object.keys(PROBE_COUNTERS.calls);

/** Of the times that tasks went to sleep, those in these system calls. */
function sleptIn(counted: Counted, ...names: (keyof typeof PROBE_COUNTERS.calls)[]): Reading {
  const slept = buckets(counted, 'cpu', 'sleep_in');
  return share(sum(names.map((name) => slept[CALLS.indexOf(name)] ?? 0)), cpu(counted, 'switch_sleep'));
}

/** Shannon entropy of a table's counts in bits: log2 of how many equal buckets would be as varied. */
function entropy(counts: readonly number[]): Reading {
  const total = sum(counts);
  const bits = counts.reduce(
    (all, count) => (count > 0 ? all - (count / total) * Math.log2(count / total) : all),
    0,
  );
  return { value: bits, events: total };
}

function meanDepth(depths: readonly number[]): Reading {
  const total = sum(depths);
  return { value: total > 0 ? sum(depths.map((count, depth) => count * depth)) / total : 0, events: total };
}

/** Shares and ratios where there are any, logarithms of rates and sizes elsewhere: doubling a workload moves nothing far. */
export const FEATURES: readonly Feature[] = [
  {
    name: 'busy',
    unit: 'share',
    formula: 'cpu.run_ns / (duration x vCPUs)',
    why: 'a machine with idle processors has room that a policy can use or leave',
    of: (c) => ({
      value: cpu(c, 'run_ns') / (c.durationNs * c.vcpus),
      events: (c.durationNs * c.vcpus) / 1e6,
    }),
  },
  {
    name: 'run_mean',
    unit: 'log2 us',
    formula: 'log2(1 + us of cpu.run_ns / count of cpu.run)',
    why: 'how long a task computes between two switches: the time scale of the workload',
    of: (c) => meanUs(cpu(c, 'run_ns'), sum(buckets(c, 'cpu', 'run'))),
  },
  {
    name: 'run_short',
    unit: 'share',
    formula: 'runs below 65.5 us / runs (cpu.run)',
    why: 'hand-over work, on which the cost of a switch shows',
    of: (c) => {
      const runs = buckets(c, 'cpu', 'run');
      return share(sum(runs.slice(0, FROM_64_US)), sum(runs));
    },
  },
  {
    name: 'run_long',
    unit: 'share',
    formula: 'runs from 4.2 ms on / runs (cpu.run)',
    why: 'work that ends slices rather than waits',
    of: (c) => shareFrom(buckets(c, 'cpu', 'run'), FROM_4_MS),
  },
  {
    name: 'wait_share',
    unit: 'share',
    formula: 'cpu.wait_ns / (cpu.wait_ns + cpu.run_ns)',
    why: 'how much of the time of tasks is queueing, which is what a scheduler can shorten',
    of: (c) => ({
      value: share(cpu(c, 'wait_ns'), cpu(c, 'wait_ns') + cpu(c, 'run_ns')).value,
      events: sum(buckets(c, 'cpu', 'wait')),
    }),
  },
  {
    name: 'wait_mean',
    unit: 'log2 us',
    formula: 'log2(1 + us of cpu.wait_ns / count of cpu.wait)',
    why: 'how long a runnable task waits',
    of: (c) => meanUs(cpu(c, 'wait_ns'), sum(buckets(c, 'cpu', 'wait'))),
  },
  {
    name: 'wait_long',
    unit: 'share',
    formula: 'waits from 1.05 ms on / waits (cpu.wait)',
    why: 'the tail of waiting, which latency feels',
    of: (c) => shareFrom(buckets(c, 'cpu', 'wait'), FROM_1_MS),
  },
  {
    name: 'preempted',
    unit: 'share',
    formula: 'cpu.switch_preempt / (cpu.switch_preempt + cpu.switch_sleep)',
    why: 'tasks that could have gone on: more of them than processors, or wake-ups that take over',
    of: (c) => share(cpu(c, 'switch_preempt'), cpu(c, 'switch_preempt') + cpu(c, 'switch_sleep')),
  },
  {
    name: 'to_idle',
    unit: 'share',
    formula: 'cpu.switch_to_idle / (cpu.switch_sleep + cpu.switch_preempt + cpu.switch_from_idle)',
    why: 'processors that run dry between tasks: where to place a wake-up matters',
    of: (c) => share(cpu(c, 'switch_to_idle'), switches(c)),
  },
  {
    name: 'switch_rate',
    unit: 'log2 1/s',
    formula: 'log2(1 + switches / busy s)',
    why: 'how often a scheduler decides',
    of: (c) => rate(c, switches(c)),
  },
  {
    name: 'wake_per_switch',
    unit: 'ratio',
    formula: 'cpu.wake / switches',
    why: 'tells work that wakes from work that is preempted',
    of: (c) => share(cpu(c, 'wake'), switches(c)),
  },
  {
    name: 'wake_sync',
    unit: 'share',
    formula: 'cpu.wake_sync / cpu.wake',
    why: 'wakers that are about to sleep: hand-overs, which can stay on one processor',
    of: (c) => share(cpu(c, 'wake_sync'), cpu(c, 'wake')),
  },
  {
    name: 'wake_same_process',
    unit: 'share',
    formula: 'cpu.wake_same_process / cpu.wake',
    why: 'threads of one program or a chain of programs',
    of: (c) => share(cpu(c, 'wake_same_process'), cpu(c, 'wake')),
  },
  {
    name: 'wake_same_cpu',
    unit: 'share',
    formula: 'cpu.wake_same_cpu / cpu.wake',
    why: 'whether wakers and woken share a processor already',
    of: (c) => share(cpu(c, 'wake_same_cpu'), cpu(c, 'wake')),
  },
  {
    name: 'wake_by_idle',
    unit: 'share',
    formula: 'cpu.wake_by_idle / cpu.wake',
    why: 'wake-ups by interrupts and timers rather than by tasks: I/O and sleepers',
    of: (c) => share(cpu(c, 'wake_by_idle'), cpu(c, 'wake')),
  },
  {
    name: 'wake_pairs',
    unit: 'bits',
    formula: 'Shannon entropy of cpu.wake_pair',
    why: 'a few fixed pairs or everybody with everybody: whether a placement can be learnt',
    of: (c) => entropy(buckets(c, 'cpu', 'wake_pair')),
  },
  {
    name: 'migrated',
    unit: 'share',
    formula: 'cpu.migrations / count of cpu.run',
    why: 'how much the scheduler already moves tasks',
    of: (c) => share(cpu(c, 'migrations'), sum(buckets(c, 'cpu', 'run'))),
  },
  {
    name: 'fork_rate',
    unit: 'log2 1/s',
    formula: 'log2(1 + cpu.fork / busy s)',
    why: 'short-lived tasks, of which a scheduler knows nothing',
    of: (c) => rate(c, cpu(c, 'fork')),
  },
  {
    name: 'depth_mean',
    unit: 'tasks',
    formula: 'mean of cpu.depth',
    why: 'how long queues are',
    of: (c) => meanDepth(buckets(c, 'cpu', 'depth')),
  },
  {
    name: 'depth_many',
    unit: 'share',
    formula: 'switches with 4 runnable tasks or more / switches (cpu.depth)',
    why: 'bursts that the mean hides',
    of: (c) => shareFrom(buckets(c, 'cpu', 'depth'), 4),
  },
  {
    name: 'fault_rate',
    unit: 'log2 1/s',
    formula: 'log2(1 + mem.fault_handled / busy s)',
    why: 'work that touches new memory',
    of: (c) => rate(c, counter(c, 'mem', 'fault_handled')),
  },
  {
    name: 'page_rate',
    unit: 'log2 1/s',
    formula: 'log2(1 + mem.pages_allocated / busy s)',
    why: 'memory that comes and goes, also in the kernel: buffers, page cache',
    of: (c) => rate(c, counter(c, 'mem', 'pages_allocated')),
  },
  {
    name: 'reclaim_rate',
    unit: 'log2 1/s',
    formula: 'log2(1 + mem.reclaim_scanned / busy s)',
    why: 'memory pressure: kswapd competes for processors',
    of: (c) => rate(c, counter(c, 'mem', 'reclaim_scanned')),
  },
  {
    name: 'bio_rate',
    unit: 'log2 1/s',
    formula: 'log2(1 + io.bio / busy s)',
    why: 'block input and output',
    of: (c) => rate(c, counter(c, 'io', 'bio')),
  },
  {
    name: 'bio_size',
    unit: 'log2 bytes',
    formula: 'log2(1 + io.bio_bytes / io.bio)',
    why: 'random or sequential',
    of: (c) => {
      const bios = counter(c, 'io', 'bio');
      return { value: log(bios > 0 ? counter(c, 'io', 'bio_bytes') / bios : 0), events: bios };
    },
  },
  {
    name: 'packet_rate',
    unit: 'log2 1/s',
    formula: 'log2(1 + net.receive / busy s)',
    why: 'network work, much of it in soft interrupts that take processors from tasks',
    of: (c) => rate(c, counter(c, 'net', 'receive')),
  },
  {
    name: 'packet_size',
    unit: 'log2 bytes',
    formula: 'log2(1 + net.receive_bytes / net.receive)',
    why: 'requests or streams',
    of: (c) => {
      const packets = counter(c, 'net', 'receive');
      return { value: log(packets > 0 ? counter(c, 'net', 'receive_bytes') / packets : 0), events: packets };
    },
  },
  {
    name: 'unix_sockets',
    unit: 'share',
    formula: '(net.send_unix + net.receive_call_unix) / (net.send + net.receive_call)',
    why: 'sockets between tasks of one machine wake directly, without the network stack',
    of: (c) => {
      const unix = counter(c, 'net', 'send_unix') + counter(c, 'net', 'receive_call_unix');
      return share(unix, counter(c, 'net', 'send') + counter(c, 'net', 'receive_call'));
    },
  },
  {
    name: 'sleep_read_write',
    unit: 'share',
    formula: 'cpu.sleep_in[read, write, pipe] / cpu.switch_sleep',
    why: 'tasks that wait for a pipe or a file',
    of: (c) => sleptIn(c, 'read', 'write', 'pipe'),
  },
  {
    name: 'sleep_socket',
    unit: 'share',
    formula: 'cpu.sleep_in[send, receive, connect] / cpu.switch_sleep',
    why: 'tasks that wait for a socket, one for each',
    of: (c) => sleptIn(c, 'send', 'receive', 'connect'),
  },
  {
    name: 'sleep_poll',
    unit: 'share',
    formula: 'cpu.sleep_in[epoll, poll] / cpu.switch_sleep',
    why: 'event loops: tasks that wait for many at once',
    of: (c) => sleptIn(c, 'epoll', 'poll'),
  },
  {
    name: 'sleep_futex',
    unit: 'share',
    formula: 'cpu.sleep_in[futex_wait, futex_wake, futex_other] / cpu.switch_sleep',
    why: 'locks and condition variables between threads',
    of: (c) => sleptIn(c, 'futex_wait', 'futex_wake', 'futex_other'),
  },
  {
    name: 'sleep_timer',
    unit: 'share',
    formula: 'cpu.sleep_in[sleep, yield, wait] / cpu.switch_sleep',
    why: 'timers, and parents that wait for children',
    of: (c) => sleptIn(c, 'sleep', 'yield', 'wait'),
  },
  {
    name: 'sleep_kernel',
    unit: 'share',
    formula: 'cpu.sleep_kernel / cpu.switch_sleep',
    why: 'threads of the kernel: work that programs caused and do not do themselves',
    of: (c) => share(cpu(c, 'sleep_kernel'), cpu(c, 'switch_sleep')),
  },
];
