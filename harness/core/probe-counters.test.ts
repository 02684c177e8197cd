// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import {
  nameCounters,
  nameWindows,
  PROBE_COUNTERS,
  PROBE_SETS,
  type ProbeSet,
  readProbes,
  scaledUp,
  totalCounters,
} from './probe-counters.ts';

const PROBES = resolve(import.meta.dirname, '../../bpf/probes');

/** The members of a header's struct with their lengths, as C has them. */
function membersOf(set: string): Record<string, number> {
  const text = readFileSync(join(PROBES, `${set}.h`), 'utf8');
  const all = text + readFileSync(join(PROBES, 'probe.h'), 'utf8');
  const body = new RegExp(`struct pmvx_${set} \\{(.*?)^\\};`, 'ms').exec(text)?.[1] ?? '';
  const lengthOf = (word: string): number => {
    const value = new RegExp(`#define ${word} (.+)`).exec(all)?.[1] ?? word;
    const sized = /^\(sizeof\(struct pmvx_(\w+)\) \/ sizeof\(__u64\)\)$/.exec(value)?.[1];
    if (sized === undefined) return Number(value);
    return Object.values(membersOf(sized)).reduce((sum, length) => sum + length, 0);
  };
  return Object.fromEntries(
    [...body.matchAll(/^\t__u64 (\w+)(?:\[(\w+)\])?;$/gm)].map(([, name = '', length = '1']) => [
      name,
      lengthOf(length),
    ]),
  );
}

/** A row of a set in which every number is `value`. */
function row(set: ProbeSet, value: number): number[] {
  return Object.values(PROBE_COUNTERS[set]).flatMap((length) => Array<number>(length).fill(value));
}

function frame(set: ProbeSet, counts: readonly (readonly (number | null)[])[], fields = counts[0]?.length) {
  const atNs = Array.from({ length: counts.length + 1 }, (_, at) => at * 1e9);
  return Buffer.from(JSON.stringify({ set, fields, missed: 1, atNs, counts }));
}

for (const set of PROBE_SETS) {
  test(`counters of ${set} are the members of its struct, in their order`, (t) => {
    const members = membersOf(set);
    t.true(Object.keys(members).length > 3);
    t.deepEqual(Object.entries(PROBE_COUNTERS[set]), Object.entries(members));
  });
}

test('windows are named one by one, and added up for the whole run', (t) => {
  const readings = readProbes(frame('mem', [row('mem', 1), row('mem', 2)]));
  if (readings === undefined) return t.fail('not read');
  t.is(totalCounters(readings).counters.fault_user, 3);
  t.is(totalCounters(readings).missed, 1);
  const windows = nameWindows(readings);
  t.deepEqual(
    windows.map(({ fromNs, toNs, counters }) => [fromNs, toNs, counters.fault_major]),
    [
      [0, 1e9, 1],
      [1e9, 2e9, 2],
    ],
  );
});

test('what was counted for a part of the time is scaled up to all of it, and says so; the rest is as it is', (t) => {
  const atNs = [0, 1e9, 3e9];
  const counts = [row('net', 2), row('net', 5)];
  const fields = counts[0]?.length;
  const sent = { set: 'net', fields, missed: 1, atNs, countedNs: [0, 0, 5e8], counts };
  const readings = readProbes(Buffer.from(JSON.stringify(sent)));
  if (readings === undefined) return t.fail('not read');
  const totals = totalCounters(readings);
  t.like(totals, { ns: 3e9, sampledNs: 5e8 });
  t.like(totals.counters, { receive: (7 * 3e9) / 5e8, tcp_retransmit: 7 });
  const [unseen, seen] = nameWindows(readings);
  t.is(unseen?.sampledNs, 0);
  t.false('receive' in (unseen?.counters ?? {}), 'nothing is known of it');
  t.is(unseen?.counters.tcp_retransmit, 2);
  t.like(seen, { sampledNs: 5e8, counters: { receive: 20, tcp_retransmit: 5 } });
  t.is(readProbes(Buffer.from(JSON.stringify({ ...sent, countedNs: [0, 1] }))), undefined);
});

test('a counter of a program that may come and go is scaled, and no other is', (t) => {
  for (const set of PROBE_SETS.filter((each) => each !== 'calls')) {
    const source = readFileSync(join(PROBES, `${set}.bpf.c`), 'utf8').replace(/^.*= PMVX_ABSENT;$/gm, '');
    // Programs, and functions, which only programs at frequent events call.
    const parts = source.split(/^(?=SEC\(|static __always_inline)/m).slice(1);
    const unseen = scaledUp(set, { ns: 1, missed: 0, counters: nameCounters(set, row(set, 1)) }, 0);
    for (const name of Object.keys(PROBE_COUNTERS[set])) {
      const writes = new RegExp(`->${name}(\\[.*\\])?( =|\\+\\+| \\+=)`);
      const writers = parts.filter((part) => writes.test(part));
      t.true(writers.length > 0, `${set}.${name}`);
      for (const writer of writers) {
        t.is(!(name in unseen.counters), /\boften_|^static/.test(writer), `${set}.${name}`);
      }
    }
  }
});

test('what a machine does not have is absent, never zero', (t) => {
  const counts: (number | null)[] = row('cpu', 0);
  counts[counts.length - 1] = null;
  const readings = readProbes(frame('cpu', [counts, row('cpu', 5)]));
  if (readings === undefined) return t.fail('not read');
  const { counters } = totalCounters(readings);
  t.false('llc_misses' in counters);
  t.is(counters.cycles, 5);
});

test('a histogram with an absent bucket is absent', (t) => {
  const counts: (number | null)[] = row('io', 1);
  counts[7] = null;
  t.false('size' in nameCounters('io', counts));
});

test("another struct's numbers are not read", (t) => {
  t.is(readProbes(frame('mem', [row('io', 1)])), undefined);
  t.is(readProbes(frame('mem', [row('mem', 1)], 3)), undefined);
  t.is(readProbes(frame('mem', [row('mem', -1)])), undefined);
  t.is(readProbes(frame('mem', [])), undefined);
  t.is(readProbes(Buffer.from('{"set":"disk"}')), undefined);
  t.is(readProbes(Buffer.from('not JSON')), undefined);
  t.throws(() => nameCounters('mem', [1]), { instanceOf: RangeError });
});

test('readings that run backwards or beyond every counter are none', (t) => {
  const width = Object.values(PROBE_COUNTERS.io).reduce((sum, length) => sum + length, 0);
  const frame = (changes: object) => {
    const good = { set: 'io', fields: width, missed: 0, atNs: [0, 5], counts: [Array(width).fill(1)] };
    return readProbes(Buffer.from(JSON.stringify({ ...good, ...changes })));
  };
  t.truthy(frame({}));
  t.is(frame({ atNs: [5, 0] }), undefined);
  t.is(frame({ countedNs: [3, 2] }), undefined);
  t.is(frame({ atNs: [0, 1e300] }), undefined);
  t.is(frame({ counts: [Array(width).fill(1e300)] }), undefined);
});
