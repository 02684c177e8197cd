// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type Comparison, compareReplay, joinComparisons } from './compare.ts';
import { convert } from './convert.ts';
import type { Recording, SchedEvent } from './events.ts';
import { fidelityCsv, fidelityMarkdown, holds, verdictOf } from './fidelity-table.ts';
import { figuresOf, graphDistance } from './figures.ts';
import type { Trace } from './trace.ts';

const comes = (pid: number, atNs: number): SchedEvent => ({
  kind: 'switch',
  ...{ atNs, leaves: 0, comes: pid, leave: 'preempted' },
});
const leaves = (pid: number, atNs: number, leave: 'preempted' | 'blocked' | 'dead', to = 0): SchedEvent => ({
  kind: 'switch',
  ...{ atNs, leaves: pid, comes: to, leave },
});
const wakes = (waker: number, woken: number, atNs: number): SchedEvent => ({
  kind: 'wake',
  ...{ atNs, by: 'task', waker, woken },
});
const starts = (parent: number, child: number, atNs: number): SchedEvent => ({
  kind: 'start',
  ...{ atNs, parent, child },
});
const named = (task: number, name: string, atNs: number): SchedEvent => ({
  kind: 'task',
  ...{ atNs, task, name, class: 'other', level: 0, cpus: 0 },
});

function recording(root: number, events: readonly SchedEvent[]): Recording {
  const durationNs = events.at(-1)?.atNs ?? 0;
  return { kernel: 'none', cpus: 2, root, durationNs, lost: 0, events };
}

/** Task 1 starts task 2 and wakes it twice; each wake-up takes `delayNs` to bring it to a CPU. */
function run(
  [first, second]: readonly [number, number],
  { fromNs = 0, delayNs = 10, stretch = 1 } = {},
): readonly SchedEvent[] {
  const at = (ns: number) => fromNs + ns * stretch;
  return [
    ...[comes(first, at(0)), starts(first, second, at(10)), comes(second, at(10))],
    ...[leaves(second, at(20), 'blocked'), wakes(first, second, at(50)), comes(second, at(50) + delayNs)],
    ...[leaves(second, at(80), 'blocked'), wakes(first, second, at(90)), comes(second, at(90) + delayNs)],
    ...[leaves(second, at(120), 'dead'), leaves(first, at(200), 'dead')],
  ];
}

function traceOf(events: readonly SchedEvent[], root = 1): Trace {
  const tasks = convert(recording(root, events));
  return {
    origin: { kernel: 'none', cpus: 2, command: ['x'] },
    figures: figuresOf(tasks, 0),
    tasks,
  };
}

/** The player's own thread 100 starts the threads that play, 201 and 202, and goes on when they have ended. */
function played(events: readonly SchedEvent[], more: readonly SchedEvent[] = []): Recording {
  const [begin = 0] = events.map(({ atNs }) => atNs);
  const threads = [
    comes(100, 0),
    starts(100, 201, begin),
    ...events.flatMap((event) => [
      event,
      ...(event.kind === 'switch' && event.comes === 201 ? [named(201, '0 first', event.atNs)] : []),
      // As the kernel tells it: the name of the one who started it first.
      ...(event.kind === 'start' ? [named(202, '0 first', event.atNs)] : []),
      ...(event.kind === 'switch' && event.comes === 202 ? [named(202, '1 second', event.atNs)] : []),
    ]),
  ];
  return recording(100, [...threads, ...more]);
}

test('a replay that does the same is the same in every figure, whatever the player does besides', (t) => {
  const trace = traceOf(run([1, 2]));
  const replay = played(run([201, 202], { fromNs: 5000 }), [
    // The player says what it measured, and another thread plays on: neither is in the trace.
    ...[comes(100, 5300), leaves(100, 5400, 'blocked'), wakes(100, 202, 5450), comes(202, 5500)],
    ...[leaves(202, 5600, 'dead'), leaves(100, 9000, 'dead')],
  ]);
  const compared = compareReplay(trace, replay);
  const { original, replay: figures, ...ratios } = compared;
  t.deepEqual(figures, original);
  t.deepEqual(ratios, {
    ...{ wakes: 2, replayedWakes: 2, switchRatio: 1, ownSwitchRatio: 1, runnableRatio: 1, wakeRatio: 1 },
    graphDistance: 0,
  });
  t.true(holds(compared));
});

test('switches and waiting are compared a second, wake-ups as such', (t) => {
  const trace = traceOf(run([1, 2]));
  const compared = compareReplay(trace, played(run([201, 202], { fromNs: 5000, delayNs: 20, stretch: 2 })));
  t.is(compared.original.durationNs, 200);
  t.is(compared.replay.durationNs, 400);
  t.is(compared.switchRatio, 0.5);
  // Twice the waiting in twice the time.
  t.is(compared.runnableRatio, 1);
  t.is(compared.wakeRatio, 1);
  t.deepEqual(verdictOf(compared), { switches: false, runnable: true, graph: true });
});

test('a switch for a task outside is not one of the tasks’ own', (t) => {
  const trace = traceOf(run([1, 2]));
  const events = run([201, 202], { fromNs: 5000 });
  const interrupted = [
    ...events.slice(0, -1),
    leaves(201, 5150, 'preempted'),
    comes(201, 5150),
    events.at(-1) as SchedEvent,
  ];
  const { switchRatio, ownSwitchRatio } = compareReplay(trace, played(interrupted));
  t.is(switchRatio, 5 / 4);
  t.is(ownSwitchRatio, 1);
});

test('who is woken by another task than in the trace makes the graphs differ', (t) => {
  const [first, ...others] = run([201, 202], { fromNs: 5000 }) as [SchedEvent, ...SchedEvent[]];
  const byTimer = others.map(
    (event): SchedEvent =>
      event.kind === 'wake' && event.atNs === 5090 ? { ...event, by: 'timer', waker: 0 } : event,
  );
  const compared = compareReplay(traceOf(run([1, 2])), played([first, ...byTimer]));
  t.is(compared.graphDistance, 0.5);
  t.deepEqual(verdictOf(compared), { switches: true, runnable: true, graph: false });
});

test('the distance of two graphs is that of their shares', (t) => {
  const graph = (edges: Record<string, number>) => new Map(Object.entries(edges));
  t.is(graphDistance(graph({ a: 1, b: 1 }), graph({ a: 10, b: 10 })), 0);
  t.is(graphDistance(graph({ a: 1 }), graph({ b: 7 })), 1);
  t.is(graphDistance(graph({ a: 3, b: 1 }), graph({ a: 1, b: 1 })), 0.25);
  t.is(graphDistance(graph({}), graph({})), 0);
  t.is(graphDistance(graph({}), graph({ a: 1 })), 1);
});

test('a trace in which nobody waited has no ratio of waiting, and keeps its promise there', (t) => {
  const alone = [comes(1, 0), leaves(1, 100, 'dead')];
  const compared = compareReplay(
    traceOf(alone),
    played([comes(201, 50), leaves(201, 60, 'preempted'), comes(201, 65), leaves(201, 150, 'dead')]),
  );
  t.false('runnableRatio' in compared);
  t.false('wakeRatio' in compared);
  t.true(verdictOf(compared).runnable);
});

test('several runs are taken together by their counts and times, not by their ratios', (t) => {
  const one = compareReplay(traceOf(run([1, 2])), played(run([201, 202], { fromNs: 5000 })));
  const slow = compareReplay(
    traceOf(run([1, 2])),
    played(run([201, 202], { fromNs: 5000, delayNs: 30, stretch: 3 })),
  );
  const joined = joinComparisons([one, slow]);
  t.is(joined.original.durationNs, 400);
  t.is(joined.replay.durationNs, 800);
  t.is(joined.switchRatio, 0.5);
  t.is(joined.runnableRatio, (20 + 60) / 800 / (40 / 400));
  t.is(joined.graphDistance, (one.graphDistance + slow.graphDistance) / 2);
});

const FIGURES = {
  durationNs: 1e9,
  switches: 100,
  preemptions: 0,
  interruptions: 0,
  runNs: 1,
  runnableNs: 1e8,
  lost: 0,
};
function comparison(ratios: Partial<Comparison>): Comparison {
  return {
    ...{ original: FIGURES, replay: FIGURES, wakes: 9, replayedWakes: 9, switchRatio: 1, ownSwitchRatio: 1 },
    ...{ runnableRatio: 1, wakeRatio: 1, graphDistance: 0, ...ratios },
  };
}

test('just below 10 % off is within 10 %, in either direction', (t) => {
  t.true(holds(comparison({ switchRatio: 1.0999, runnableRatio: 0.9001, graphDistance: 0.1 })));
  t.false(holds(comparison({ switchRatio: 1.1001 })));
  t.false(holds(comparison({ runnableRatio: 0.8999 })));
  t.false(holds(comparison({ graphDistance: 0.1001 })));
});

test('tables count what holds over all workloads, and a workload without figures says why', (t) => {
  const rows = [
    { workload: 'good', variant: 'v', tasks: 2, bytes: 10, comparison: comparison({}), excess: 0.01 },
    { workload: 'bad', variant: 'v', tasks: 2, bytes: 10, comparison: comparison({ switchRatio: 2 }) },
    { workload: 'none', variant: 'v', reason: 'the image lacks it' },
  ];
  const text = fidelityMarkdown(rows, 'made so');
  t.regex(
    text,
    /^Within 10 %: 1 of 3 in switches a second, 2 of 3 in time .*, 2 of 3 in who wakes whom; 1 of 3 in all three\.$/m,
  );
  t.regex(text, /^\| bad \|.*\| no: switches \|$/m);
  t.regex(text, /^\| none \|.*\| the image lacks it \|$/m);
  const [head = '', good = '', bad = '', none = ''] = fidelityCsv(rows).split('\n');
  const cell = (line: string, name: string) => line.split(',')[head.split(',').indexOf(name)];
  t.deepEqual(
    [good, bad, none].map((line) => cell(line, 'within')),
    ['true', 'false', ''],
  );
  t.is(cell(bad, 'switch_ratio'), '2');
  t.is(cell(none, 'switch_ratio'), '');
  t.is(cell(none, 'reason'), 'the image lacks it');
});
