// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { addCounted, type Counted } from './counted.ts';
import { joinWindows } from './join-windows.ts';
import { halfBusy } from './sample-counted.ts';
import { type WindowedTrial, windowRows } from './window-separation.ts';
import { workloadVector } from './workload-vector.ts';

/** A quarter of a second of a machine that is half busy; `pairs` says how many tasks wake each other. */
function quarter(pairs: number): Counted {
  const { durationNs, vcpus, sets } = halfBusy(0.25);
  const pair = Array.from({ length: 256 }, (_, at) => (at < pairs ? 200 / pairs : 0));
  return { durationNs, vcpus, sets: { ...sets, cpu: { ...sets.cpu, wake_pair: pair } } };
}

const idle = (): Counted => {
  const { durationNs, vcpus, sets } = halfBusy(0.25);
  return { durationNs, vcpus, sets: { ...sets, cpu: { ...sets.cpu, run_ns: 0 } } };
};

function trial(name: string, workload: string, windows: readonly Counted[]): WindowedTrial {
  const whole = addCounted(windows) as Counted;
  const vector = workloadVector(whole);
  if (vector.kind === 'unknown') throw new Error(vector.why);
  return { trial: name, workload, configuration: 'c', values: vector.values, windows, learnt: [] };
}

test('windows are joined until they are as long as asked for, and what is left is left out', (t) => {
  const joined = joinWindows(
    Array.from({ length: 7 }, () => quarter(4)),
    500,
  );
  t.deepEqual(
    joined.map(({ first, counted }) => [first, counted.durationNs]),
    [
      [0, 5e8],
      [2, 5e8],
      [4, 5e8],
    ],
  );
  t.is(joined[0]?.counted.sets.cpu?.wake, 400);
  t.deepEqual(joinWindows([quarter(4)], 1000), []);
});

test('windows of a steady run are as it is; a run of two phases is unlike its windows; an idle window is unknown', (t) => {
  const steady = (pairs: number) => Array.from({ length: 4 }, () => quarter(pairs));
  const trials = [
    trial('a/0', 'few', steady(2)),
    trial('a/1', 'few', steady(2)),
    trial('b/0', 'many', steady(256)),
    trial('b/1', 'many', [...steady(256), idle()]),
  ];
  const [row] = windowRows(trials, [250]);
  t.like(row, { ms: 250, windows: 17, unknown: 1 / 17, right: 1 });
  t.true((row?.own?.low ?? 0) > 0.95, String(row?.own?.low));
  t.true((row?.others?.high ?? 1) < (row?.own?.low ?? 0));
  const phases = trial('c/0', 'both', [...steady(2), ...steady(256)]);
  const [alone] = windowRows([phases], [250]);
  t.true((alone?.own?.high ?? 1) < 0.99, String(alone?.own?.high));
  t.is(alone?.right, undefined, 'no other run of its workload');
  // A run of two phases, whose windows are nearer to those of another such run than to the whole of it.
  const known = { ...phases, trial: 'c/1', learnt: [trials[0]?.values ?? []] };
  const mixed = [phases, known, trial('d/0', 'few', steady(3))];
  const [without] = windowRows(mixed, [250]);
  t.true((without?.rightWithWindows ?? 0) > (without?.right ?? 1));
  t.is(windowRows(trials, [5000])[0]?.windows, 0);
});
