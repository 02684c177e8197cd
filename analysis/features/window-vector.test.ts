// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { ProbeSet, ProbeValues } from '../../harness/core/probe-counters.ts';
import { halfBusy } from './sample-counted.ts';
import { type WindowCounters, windowCounters, windowVector } from './window-vector.ts';
import { workloadVector } from './workload-vector.ts';

/** What a reading of all probes gives once {@link halfBusy} has gone on for `seconds`. */
function readingAfter(seconds: number): WindowCounters {
  const { durationNs, sets } = halfBusy(seconds);
  const totals = Object.entries(sets).map(([set, counters]) => [
    set,
    { ns: durationNs, missed: 2 * seconds, counters },
  ]);
  return Object.fromEntries(totals);
}

const without = (reading: WindowCounters, set: ProbeSet, name: string): WindowCounters => {
  const { [name]: _, ...counters } = { ...reading[set]?.counters };
  return { ...reading, [set]: { ...reading[set], counters } } as WindowCounters;
};

test('what two readings differ by is the window, and its vector that of the counts alone', (t) => {
  const window = windowCounters(readingAfter(3), readingAfter(4));
  t.deepEqual(window, readingAfter(1));
  t.deepEqual(windowVector(window, 4), workloadVector(halfBusy()));
  t.is(windowVector(window, 4).kind, 'vector');
});

test('a window in which nothing happened, that is short, or that lacks a counter is unknown, and says why', (t) => {
  const whyOf = (window: WindowCounters) => {
    const vector = windowVector(window, 4);
    return vector.kind === 'unknown' ? vector.why : 'known';
  };
  t.regex(whyOf(windowCounters(readingAfter(1), readingAfter(1))), /0 ms long/);
  t.regex(whyOf({}), /0 ms long/);
  const idle = windowCounters(readingAfter(1), {
    ...readingAfter(1),
    cpu: { ...readingAfter(1).cpu, ns: 9e9 } as never,
  });
  t.regex(whyOf(idle), /busy for 0\.0 % of the window/);
  const lame = without(readingAfter(2), 'cpu', 'wake_sync');
  t.is(whyOf(windowCounters(readingAfter(1), lame)), 'counter cpu.wake_sync is absent');
  const { net: _, ...gone } = readingAfter(2);
  t.is(whyOf(windowCounters(readingAfter(1), gone)), 'probe set net is absent');
});

test('a counter that went back is absent, not negative', (t) => {
  const before = readingAfter(2);
  const after = readingAfter(3);
  const counters = { ...after.cpu?.counters, wake: 1, run: after.cpu?.counters.depth } as ProbeValues;
  const window = windowCounters(before, { ...after, cpu: { ns: 3e9, missed: 6, counters } });
  t.false('wake' in (window.cpu?.counters ?? {}));
  t.false('run' in (window.cpu?.counters ?? {}));
  t.is(window.cpu?.counters.fork, 6);
});
