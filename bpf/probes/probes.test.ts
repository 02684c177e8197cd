// SPDX-License-Identifier: GPL-2.0-only
// The probes on this host's kernel, on a machine that others use, too: each counts what one process did.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import {
  PROBE_COUNTERS,
  PROBE_SETS,
  type ProbeSet,
  type ProbeTotals,
} from '../../harness/core/probe-counters.ts';
import { openHostProbes } from '../../harness/runtime/host-probes.ts';
import type { Turn } from '../../harness/runtime/probe-turns.ts';
import { BpfObject } from '../napi/index.js';
import { buildAddon, cannotLoad, compileBpf } from '../napi/test/compile.ts';
import { expectedOfConnections, expectedOfKinds, KINDS, NEARLY, SLEEPS_IN_READ } from './test/expected.ts';

buildAddon();
const why = cannotLoad();
const loads =
  why === undefined ? test.serial : (title: string, _: unknown) => test.skip(`${title} (${why})`, () => {});
const scratch = mkdtempSync(join(tmpdir(), 'pmvx-probes-'));
test.after.always(() => rmSync(scratch, { recursive: true, force: true }));
/** Where the probes are compiled to. */
const objects = dirname(PROBE_SETS.map((set) => compileBpf(set, import.meta.dirname))[0] as string);
/** Connections acknowledge now and then in a packet of its own. */
const SLACK: Readonly<Record<string, number>> = { transmit: 5, transmit_bytes: 500 };
const N = 500;

async function count(events: readonly string[], turn?: Turn): Promise<Record<ProbeSet, ProbeTotals>> {
  const child = spawn(join(scratch, 'known-events'), [`device=${join(scratch, 'blocks')}`, ...events], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const options = { objects, tgid: child.pid as number };
  const probes = openHostProbes(PROBE_SETS, turn === undefined ? options : { ...options, turn });
  child.stdin.end('\n');
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`known-events ended with ${status}`);
  const counted = probes.read();
  probes.close();
  return counted as Record<ProbeSet, ProbeTotals>;
}

const eventsOf = (kinds: number, connections: number) => [
  ...KINDS.map((kind) => `${kind}=${kinds}`),
  `connections=${connections}`,
];

function counterOf({ counters }: ProbeTotals, name: string): number {
  const [, counter = '', bucket] = /^(\w+)(?:\[(\d+)\])?$/.exec(name) ?? [];
  const value = counters[counter];
  return Number(typeof value === 'object' ? value[Number(bucket)] : value);
}

test('the layout that BTF gives a set is the one that readers know', (t) => {
  for (const set of PROBE_SETS) {
    const object = BpfObject.open(compileBpf(set, import.meta.dirname));
    const fields = object.map('counters').valueLayout?.fields ?? [];
    t.deepEqual(
      Object.fromEntries(fields.map(({ name, count }) => [name, count])),
      { ...PROBE_COUNTERS[set] },
      set,
    );
    t.true(fields.every(({ size, kind }) => size === 8 && kind === 'unsigned'));
    object.close();
  }
});

test.before(() => {
  execFileSync('gcc', [
    ...['-std=gnu11', '-O2', '-static', '-pthread', '-o', join(scratch, 'known-events')],
    join(import.meta.dirname, 'test/known-events.c'),
  ]);
  writeFileSync(join(scratch, 'blocks'), Buffer.alloc(4096 * 2 * N, 1), { flush: true });
});

loads('on a host that others use, a process that is watched alone is counted exactly', async (t) => {
  const one = await count(eventsOf(N, 50));
  const two = await count(eventsOf(2 * N, 50));
  const more = await count(eventsOf(N, 100));
  for (const [expected, less, greater] of [
    [expectedOfKinds(N), one, two],
    [expectedOfConnections(50), one, more],
  ] as const) {
    for (const [set, counters] of Object.entries(expected)) {
      // Requests are merged and issued by other threads; packets and states of others' sockets are nobody's.
      if (set === 'io') continue;
      for (const [name, value] of Object.entries(counters)) {
        if (['receive', 'receive_bytes'].includes(name) || name.startsWith('tcp_state')) continue;
        const counted = counterOf(greater[set as ProbeSet], name) - counterOf(less[set as ProbeSet], name);
        // The C library's own waiting for a thread, and faults that wait, come now and then.
        const slack = set === 'cpu' && name !== 'fork' ? 20 : (SLACK[name] ?? 0);
        // What the whole host missed; any of it may have been this process's.
        const missed = greater[set as ProbeSet].missed + less[set as ProbeSet].missed;
        t.true(Math.abs(counted - value) <= slack + missed, `${set}.${name}: ${counted}, expected ${value}`);
      }
    }
  }
  for (const name of NEARLY) {
    const more = counterOf(two.mem, name) - counterOf(one.mem, name);
    t.true(more >= N && more <= 1.03 * N, `${name}: ${more}`);
  }
  const slept = counterOf(two.cpu, SLEEPS_IN_READ) - counterOf(one.cpu, SLEEPS_IN_READ);
  t.true(slept >= N - 20 && slept <= 2 * N + 20, `${slept} sleeps in read`);
  for (const all of [one, two, more]) {
    for (const set of PROBE_SETS) t.true(all[set].missed <= N / 10, `${set}: ${all[set].missed} missed`);
  }
});

loads(
  'with turns frequent events are estimated, rare ones are exact, and the record says for how long',
  async (t) => {
    const sends = 300_000;
    const { net, cpu } = await count([`forks=${N}`, `local=${sends}`], { onMs: 20, everyMs: 100 });
    const share = (net.sampledNs ?? Number.NaN) / net.ns;
    t.true(share > 0.02 && share < 0.8, `counted for ${share} of the time`);
    t.is(cpu.counters.fork, N);
    // Others take the processor in turns and between them, so no more than this can be said of a host that is not alone.
    const sent = Number(net.counters.send);
    t.true(sent > sends / 4 && sent < 4 * sends, `${sent} sends`);
    t.true(Number(net.counters.send_unix) > 0.9 * sent);
  },
);

for (const turn of [undefined, { onMs: 20, everyMs: 100 }])
  loads(
    `probes that rest see no frequent event, rare ones are exact, and the time is none of theirs (${turn ? 'turns' : 'all the time'})`,
    async (t) => {
      const run = (events: readonly string[]) =>
        spawn(join(scratch, 'known-events'), [`device=${join(scratch, 'blocks')}`, ...events], {
          stdio: ['pipe', 'inherit', 'inherit'],
        });
      const sends = 20_000;
      const child = run([`forks=${N}`, `local=${sends}`]);
      const probes = openHostProbes(['cpu', 'net'], {
        objects,
        tgid: child.pid as number,
        ...(turn === undefined ? {} : { turn }),
      });
      probes.pause();
      const before = probes.read();
      child.stdin.end('\n');
      await once(child, 'exit');
      const resting = probes.read();
      probes.resume();
      probes.pause();
      probes.close();
      t.is(resting.cpu?.ns, before.cpu?.ns);
      t.is(resting.net?.counters.send, before.net?.counters.send);
      t.is(Number(resting.cpu?.counters.fork) - Number(before.cpu?.counters.fork), N);
    },
  );

test('probes that cannot be opened leave no object open, whichever attempt it was', (t) => {
  const open = BpfObject.open;
  let left = 0;
  t.teardown(() => {
    BpfObject.open = open;
  });
  BpfObject.open = (...given) => {
    const object = open(...given);
    const close = object.close.bind(object);
    left++;
    object.close = () => {
      left--;
      close();
    };
    return object;
  };
  t.throws(() => openHostProbes(['mem'], { objects, tgid: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  t.is(left, 0);
});
