// SPDX-License-Identifier: Apache-2.0
import { convert, type RecordedTask } from './convert.ts';
import type { Recording } from './events.ts';
import { figuresOf, graphDistance, wakeUpGraph } from './figures.ts';
import type { Trace, TraceFigures } from './trace.ts';

/** A replay beside what it re-enacts. */
export interface Comparison {
  readonly original: TraceFigures;
  readonly replay: TraceFigures;
  /** Wake-ups that ended a wait. */
  readonly wakes: number;
  readonly replayedWakes: number;
  /** Switches a second of the replay over the original's. */
  readonly switchRatio: number;
  /** The same without interruptions by tasks that are not in the trace. */
  readonly ownSwitchRatio: number;
  /** Runnable time a second, likewise; undefined when the original's is 0. */
  readonly runnableRatio?: number;
  /** Wake-ups in all, likewise; undefined when the original has none. */
  readonly wakeRatio?: number;
  /** Total variation distance between the shares of (waker, woken) pairs of tasks, each recorded task by itself. */
  readonly graphDistance: number;
}

/** The thread that plays a task has the task's number before its name; the program's own first thread has none. */
const PLAYED = /^(\d+) /;

/** Compares a recording of workloads/replay with the trace that it played. */
export function compareReplay(trace: Trace, recording: Recording): Comparison {
  const tasks = convert(upToEnd(recording));
  const numbers = tasks.map(({ name }) => PLAYED.exec(name)?.[1]);
  const played = tasks.filter((_: RecordedTask, at) => numbers[at] !== undefined);
  const replay = figuresOf(played, recording.lost);
  const [before, after] = [wakeUpGraph(trace.tasks, String), wakeUpGraph(tasks, (id) => numbers[id])];
  const [wakes, replayed] = [before, after].map((graph) =>
    [...graph.values()].reduce((sum, count) => sum + count, 0),
  ) as [number, number];
  return comparison(trace.figures, replay, wakes, replayed, graphDistance(before, after));
}

/** Up to the end of the thread that plays the first task, where the trace ends, too. What the player says after that is its own. */
function upToEnd(recording: Recording): Recording {
  // A thread has its starter's name until it takes its own: the last name counts.
  const names = new Map(
    recording.events.flatMap((event) => (event.kind === 'task' ? [[event.task, event.name] as const] : [])),
  );
  const first = [...names].find(([, name]) => PLAYED.exec(name)?.[1] === '0')?.[0];
  const end = recording.events.findIndex(
    (event) => event.kind === 'switch' && event.leaves === first && event.leave === 'dead',
  );
  if (end < 0) return recording;
  const events = recording.events.slice(0, end + 1);
  return { ...recording, events, durationNs: (events.at(-1) as { atNs: number }).atNs };
}

function comparison(
  original: TraceFigures,
  replay: TraceFigures,
  wakes: number,
  replayedWakes: number,
  distance: number,
): Comparison {
  const runnable = rate(original.runnableNs, original);
  return {
    ...{ original, replay, wakes, replayedWakes },
    switchRatio: rate(replay.switches, replay) / rate(original.switches, original),
    ownSwitchRatio: rate(ownSwitches(replay), replay) / rate(ownSwitches(original), original),
    ...(runnable === 0 ? {} : { runnableRatio: rate(replay.runnableNs, replay) / runnable }),
    ...(wakes === 0 ? {} : { wakeRatio: replayedWakes / wakes }),
    graphDistance: distance,
  };
}

/** Several runs of one workload as one: counts and times of all together, the mean of the graphs' distances. */
export function joinComparisons(all: readonly Comparison[]): Comparison {
  const sum = (of: (each: Comparison) => number) => all.reduce((total, each) => total + of(each), 0);
  return comparison(
    joinFigures(all.map(({ original }) => original)),
    joinFigures(all.map(({ replay }) => replay)),
    sum(({ wakes }) => wakes),
    sum(({ replayedWakes }) => replayedWakes),
    sum((each) => each.graphDistance) / all.length,
  );
}

function joinFigures(all: readonly TraceFigures[]): TraceFigures {
  const sum = (name: keyof TraceFigures) => all.reduce((total, each) => total + each[name], 0);
  return {
    durationNs: sum('durationNs'),
    switches: sum('switches'),
    preemptions: sum('preemptions'),
    interruptions: sum('interruptions'),
    runNs: sum('runNs'),
    runnableNs: sum('runnableNs'),
    lost: sum('lost'),
  };
}

/** Switches that the tasks of a trace made themselves, by waiting or for each other. */
export function ownSwitches({ switches, interruptions }: TraceFigures): number {
  return switches - interruptions;
}

/** A count or a time in nanoseconds, a second. */
export function rate(amount: number, { durationNs }: TraceFigures): number {
  return amount / (durationNs / 1e9);
}
