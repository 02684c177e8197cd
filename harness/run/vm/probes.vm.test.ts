// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  type Expected,
  expectedOfConnections,
  expectedOfKinds,
  KINDS,
  NEARLY,
  SLEEPS_IN_READ,
} from '../../../bpf/probes/test/expected.ts';
import {
  PROBE_SETS,
  type ProbeSet,
  type ProbeTotals,
  readProbes,
  totalCounters,
} from '../../core/probe-counters.ts';
import { deriveSeed } from '../../core/seed.ts';
import type { Probes } from '../../core/spec.ts';
import type { Orders } from '../../lab/engine.ts';
import { labEngine, ROOT, smallMachine } from './stage.ts';

const PROGRAM = '/run/known-events';
const N = 500;

let scratch: string;
let program: Buffer;

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'pmvx-probes-'));
  const path = join(scratch, 'known-events');
  const source = join(ROOT, 'bpf/probes/test/known-events.c');
  execFileSync('gcc', ['-std=gnu11', '-O2', '-static', '-pthread', '-o', path, source], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  program = await readFile(path);
});

test.after.always(() => rm(scratch, { recursive: true, force: true }));

/** What all sets count while known-events does these numbers of events. */
async function count(
  name: string,
  events: readonly string[],
  turns: Pick<Probes, 'windowMs' | 'onMs'> = { windowMs: 0 },
): Promise<Record<ProbeSet, ProbeTotals>> {
  const builtin = { kind: 'builtin', summary: 's', suits: 's', weakness: 's', source: 's' } as const;
  const orders: Orders = {
    trial: name,
    seed: deriveSeed(5, 0),
    policy: { id: 'eevdf', definition: builtin },
    candidates: [],
    modules: ['null_blk queue_mode=2 irqmode=1 gb=1 nr_devices=1'],
    probes: { sets: PROBE_SETS, ...turns },
    files: [{ path: PROGRAM, content: program }],
    run: [
      '/bin/sh',
      '-c',
      'cp $0 /tmp/k && chmod 755 /tmp/k && exec /tmp/k "$@"',
      PROGRAM,
      'device=/dev/nullb0',
      ...events,
    ],
    deadlineMs: 60_000,
  };
  const outcome = await labEngine('exact').runTrial(
    orders,
    smallMachine(2),
    join(scratch, name),
    new AbortController().signal,
  );
  const text = (kind: string) =>
    outcome.frames.filter((each) => each.kind === kind).map(({ payload }) => payload);
  const result = JSON.parse(String(text('result')[0] ?? '{}'));
  if (result.exit !== 0) {
    const said = [...text('output'), ...text('error'), ...text('refused')].join('\n');
    throw new Error(`known-events ended with ${result.exit}: ${said}`);
  }
  return Object.fromEntries(
    text('probes').map((payload) => {
      const readings = readProbes(payload);
      if (readings === undefined) throw new Error(`not readings: ${payload}`);
      return [readings.set, totalCounters(readings)];
    }),
  ) as Record<ProbeSet, ProbeTotals>;
}

const eventsOf = (kinds: number, connections: number) => [
  ...KINDS.map((kind) => `${kind}=${kinds}`),
  `connections=${connections}`,
];

/** `fork`, or `sleep_in[1]`. */
function counterOf(totals: ProbeTotals, name: string): number | undefined {
  const [, counter = '', bucket] = /^(\w+)(?:\[(\d+)\])?$/.exec(name) ?? [];
  const value = totals.counters[counter];
  return typeof value === 'object' ? value[Number(bucket)] : value;
}

function differences(
  less: Record<ProbeSet, ProbeTotals>,
  more: Record<ProbeSet, ProbeTotals>,
  expected: Expected,
): Expected {
  return Object.fromEntries(
    Object.entries(expected).map(([set, counters]) => [
      set,
      Object.fromEntries(
        Object.keys(counters).map((name) => {
          const a = counterOf(less[set as ProbeSet], name);
          const b = counterOf(more[set as ProbeSet], name);
          return [name, a === undefined || b === undefined ? Number.NaN : b - a];
        }),
      ),
    ]),
  );
}

const sum = (values: number | readonly number[] | undefined): number =>
  [values ?? Number.NaN].flat().reduce((total, value) => total + value, 0);

test('on exact, counters are exactly the events that a program did', async (t) => {
  const one = await count('one', eventsOf(N, 50));
  const two = await count('two', eventsOf(2 * N, 50));
  const connected = await count('connected', eventsOf(N, 100));
  const kinds = expectedOfKinds(N);
  // Only here is nobody else's device.
  const guest: Expected = {
    ...kinds,
    io: { ...kinds.io, complete: N, error: 0 },
  };
  t.deepEqual(differences(one, two, guest), guest);
  const connections = expectedOfConnections(50);
  t.deepEqual(differences(one, connected, connections), connections);

  for (const { cpu, mem, io, ...others } of [one, two, connected]) {
    for (const { missed } of [cpu, mem, io, others.net, others.calls]) t.is(missed, 0);
    // Every switch has a run queue, and takes a task on or is to the idle task; every wake-up is of some pair.
    const { counters } = cpu;
    const switches =
      sum(counters.switch_sleep) + sum(counters.switch_preempt) + sum(counters.switch_from_idle);
    t.is(sum(counters.depth), switches);
    t.is(sum(counters.run), switches - sum(counters.switch_from_idle));
    t.is(sum(counters.wait) + sum(counters.wait_unknown) + sum(counters.switch_to_idle), switches);
    t.is(sum(counters.wake_pair), sum(counters.wake));
    t.is(sum(counters.sleep_in) + sum(counters.sleep_kernel), sum(counters.switch_sleep));
    t.is(sum(io.counters.latency) + sum(io.counters.latency_unknown), sum(io.counters.complete));
    // The emulated processor has no performance counters: they are absent, not 0.
    t.false('cycles' in counters || 'llc_misses' in counters);
    t.true(sum(mem.counters.fault_handled) >= sum(mem.counters.fault_user));
  }
  const more = (set: ProbeSet, name: string) =>
    (counterOf(two[set], name) ?? Number.NaN) - (counterOf(one[set], name) ?? Number.NaN);
  for (const name of NEARLY) {
    t.true(Math.abs(more('mem', name) - N) <= 0.03 * N, `${name}: ${more('mem', name)}`);
  }
  // Each handover, and each end of a child whose parent waits for it already.
  t.true(
    more('cpu', 'wake_sync') >= N && more('cpu', 'wake_sync') <= 2.03 * N,
    `${more('cpu', 'wake_sync')}`,
  );
  const slept = (counterOf(two.cpu, SLEEPS_IN_READ) ?? 0) - (counterOf(one.cpu, SLEEPS_IN_READ) ?? 0);
  t.true(slept >= N && slept <= 2 * N, `${slept} sleeps in read`);
  const moved = sum(two.cpu.counters.migrations) - sum(one.cpu.counters.migrations);
  t.true(Math.abs(moved - N) <= 0.03 * N, `${moved} more migrations`);
  const pages = sum(two.mem.counters.pages_allocated) - sum(one.mem.counters.pages_allocated);
  t.true(pages >= N && pages < 3 * N, `${pages} more pages`);
});

test('counted for a part of each window, frequent events are estimated and rare ones exact', async (t) => {
  const turns = { windowMs: 100, onMs: 20 };
  const sends = 100_000;
  const { net, cpu, calls } = await count('turns', [`forks=${N}`, `local=${sends}`], turns);
  // A last window that is not whole, and a turn that a busy processor lengthens.
  for (const { ns, sampledNs = Number.NaN } of [net, cpu, calls]) {
    t.true(ns > 400e6, `${ns} ns`);
    t.true(sampledNs / ns > 0.15 && sampledNs / ns < 0.25, `${sampledNs} of ${ns} ns`);
  }
  // The shell's and the kernel's own, too.
  const forks = sum(cpu.counters.fork);
  t.true(forks >= N && forks <= N + 20, `${forks} forks`);
  const sent = sum(net.counters.send);
  t.true(sent > 0.7 * sends && sent < 1.3 * sends, `${sent} sends`);
  t.true(Math.abs(sum(net.counters.send_unix) - sent) < 0.01 * sent);
  t.true(Math.abs(sum(calls.counters.send) - sent) < 0.05 * sent, `${sum(calls.counters.send)} calls`);
});
