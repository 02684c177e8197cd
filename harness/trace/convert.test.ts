// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { convert } from './convert.ts';
import type { Recording, SchedEvent } from './events.ts';
import { figuresOf } from './figures.ts';
import { stuckFault } from './playable.ts';
import { sampleRun } from './sample-recording.ts';

function recording(events: readonly SchedEvent[], durationNs = 1000): Recording {
  return { kernel: 'none', cpus: 2, root: 1, durationNs, lost: 0, events };
}

const comes = (pid: number, atNs: number): SchedEvent => ({
  kind: 'switch',
  atNs,
  leaves: 0,
  comes: pid,
  leave: 'preempted',
});
const leaves = (pid: number, atNs: number, leave: 'preempted' | 'blocked' | 'dead'): SchedEvent => ({
  kind: 'switch',
  ...{ atNs, leaves: pid, comes: 0, leave },
});
const wakes = (waker: number, woken: number, atNs: number): SchedEvent => ({
  kind: 'wake',
  ...{ atNs, by: waker === 0 ? 'timer' : 'task', waker, woken },
});
const starts = (parent: number, child: number, atNs: number): SchedEvent => ({
  kind: 'start',
  atNs,
  parent,
  child,
});

/** A linear congruential generator (Numerical Recipes): the same numbers everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('a wait is paired with the wake-up that ended it, and computing is cut at both', (t) => {
  const [first, second] = convert(
    recording([
      comes(1, 0),
      starts(1, 2, 100),
      comes(2, 150),
      leaves(2, 250, 'blocked'),
      wakes(1, 2, 400),
      comes(2, 430),
      leaves(2, 500, 'dead'),
      leaves(1, 600, 'dead'),
    ]),
  );
  t.deepEqual(first?.operations, [
    { do: 'run', ns: 100 },
    { do: 'start', task: 1 },
    { do: 'run', ns: 300 },
    { do: 'wake', task: 1 },
    { do: 'run', ns: 200 },
    { do: 'afterEnd', task: 1 },
  ]);
  t.deepEqual(second?.operations, [
    { do: 'run', ns: 100 },
    { do: 'wait', task: 0 },
    { do: 'run', ns: 70 },
  ]);
  t.is(second?.runnableNs, 50 + 30);
});

test('a preemption is no operation: computing goes on after it', (t) => {
  const [task] = convert(
    recording([comes(1, 0), leaves(1, 100, 'preempted'), comes(1, 300), leaves(1, 350, 'dead')]),
  );
  t.deepEqual(task?.operations, [{ do: 'run', ns: 150 }]);
  t.is(task?.preemptions, 1);
  t.is(task?.runnableNs, 200);
});

test('a wake-up right before its wait ends it when no other comes', (t) => {
  const events = [
    comes(1, 0),
    starts(1, 2, 10),
    comes(2, 20),
    wakes(1, 2, 98),
    leaves(2, 100, 'blocked'),
    comes(2, 120),
  ];
  t.deepEqual(convert(recording(events))[1]?.operations.slice(0, 2), [
    { do: 'run', ns: 80 },
    { do: 'wait', task: 0 },
  ]);
});

test('a wake-up long before a wait that something else ends is none', (t) => {
  const events = [
    ...[comes(1, 0), starts(1, 2, 10), comes(2, 20), wakes(1, 2, 50)],
    ...[leaves(2, 100, 'blocked'), wakes(0, 2, 180), comes(2, 200)],
  ];
  const [first, second] = convert(recording(events));
  t.deepEqual(second?.operations.slice(0, 2), [
    { do: 'run', ns: 80 },
    { do: 'sleep', ns: 80 },
  ]);
  t.false(first?.operations.some((each) => each.do === 'wake'));
});

test('a wake-up by a task that ends is a wait for its end, and for all children that had ended by then', (t) => {
  const ends = (waker: number, woken: number, atNs: number): SchedEvent => ({
    kind: 'wake',
    ...{ atNs, by: 'end', waker, woken },
  });
  const events = [
    ...[comes(1, 0), starts(1, 2, 10), starts(1, 3, 20), starts(1, 4, 30), comes(2, 35), comes(3, 35)],
    ...[leaves(2, 40, 'dead'), leaves(1, 50, 'blocked'), ends(3, 1, 60), leaves(3, 61, 'dead'), comes(1, 70)],
    ...[leaves(1, 80, 'dead')],
  ];
  const [first, second, third] = convert(recording(events));
  t.deepEqual(
    first?.operations.slice(5),
    [
      { do: 'run', ns: 20 },
      { do: 'start', task: 3 },
      { do: 'run', ns: 20 },
      { do: 'waitEnd', task: 2 },
      { do: 'afterEnd', task: 1 },
      { do: 'run', ns: 10 },
    ].slice(1),
  );
  t.deepEqual(
    [second, third].map((task) => task?.operations),
    [[{ do: 'run', ns: 5 }], [{ do: 'run', ns: 26 }]],
  );
});

test('a task that waits once more while it ends is not waited for to its end', (t) => {
  const ends = (waker: number, woken: number, atNs: number): SchedEvent => ({
    kind: 'wake',
    ...{ atNs, by: 'end', waker, woken },
  });
  // 2 and 3 end, each while it waits for the other.
  const events = [
    ...[comes(1, 0), starts(1, 2, 10), starts(1, 3, 20), comes(2, 30), comes(3, 40)],
    ...[leaves(2, 50, 'blocked'), ends(3, 2, 60), leaves(3, 70, 'blocked'), comes(2, 80), ends(2, 3, 90)],
    ...[leaves(2, 100, 'dead'), comes(3, 110), leaves(3, 120, 'dead'), leaves(1, 130, 'dead')],
  ];
  const tasks = convert(recording(events));
  t.deepEqual(
    tasks.slice(1).map(({ operations }) => operations.filter(({ do: what }) => what !== 'run')),
    [
      [{ do: 'wait', task: 2 }],
      [
        { do: 'wake', task: 1 },
        { do: 'waitEnd', task: 1 },
      ],
    ],
  );
  t.is(stuckFault(tasks), undefined);
});

test('timers with nothing but computing between them are a period; a wait between them begins anew', (t) => {
  const events = [
    ...[comes(1, 0), starts(1, 2, 1), leaves(1, 10, 'blocked'), wakes(0, 1, 60), comes(1, 65)],
    ...[leaves(1, 80, 'blocked'), wakes(0, 1, 160), comes(1, 165), comes(2, 166)],
    ...[leaves(1, 170, 'blocked'), wakes(2, 1, 200), comes(1, 205)],
    ...[leaves(1, 210, 'blocked'), wakes(0, 1, 260), comes(1, 270)],
  ];
  const waits = convert(recording(events))[0]?.operations.filter(
    (each) => each.do !== 'run' && each.do !== 'start',
  );
  t.deepEqual(waits, [
    { do: 'sleep', ns: 50 },
    { do: 'period', ns: 100 },
    { do: 'wait', task: 1 },
    { do: 'sleep', ns: 50 },
  ]);
});

test('class and CPUs are operations when they differ from the parent’s', (t) => {
  const described = (task: number, atNs: number, level: number, cpus: number): SchedEvent => ({
    kind: 'task',
    ...{ atNs, task, name: `t${task}`, class: 'other', level, cpus },
  });
  const events = [
    comes(1, 0),
    starts(1, 2, 10),
    described(2, 10, 0, 0),
    comes(2, 20),
    described(2, 70, 5, 3),
    leaves(2, 80, 'dead'),
  ];
  const [, second] = convert(recording(events));
  t.is(second?.name, 't2');
  t.deepEqual(second?.operations, [
    { do: 'run', ns: 50 },
    { do: 'class', class: 'other', level: 5 },
    { do: 'cpus', mask: 3 },
    { do: 'run', ns: 10 },
  ]);
});

test('whatever tasks did, the trace says the same, and can be played', (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const run = sampleRun(generator(seed), 20 + seed * 3);
    const tasks = convert(run.recording);
    t.deepEqual(
      tasks.map(({ operations }) => operations.filter((each) => each.do !== 'share')),
      run.operations,
      `seed ${seed}`,
    );
    const { switches, preemptions, runNs, runnableNs } = figuresOf(tasks, 0);
    const { recording: _recording, operations: _operations, ...totals } = run;
    t.deepEqual({ switches, preemptions, runNs, runnableNs }, totals, `seed ${seed}`);
    t.is(stuckFault(tasks), undefined, `seed ${seed}`);
  }
});
