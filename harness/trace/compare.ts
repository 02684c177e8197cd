// SPDX-License-Identifier: Apache-2.0
import { convert, type RecordedTask } from './convert.ts';
import type { Recording } from './events.ts';
import { figuresOf, graphDistance, wakeUpGraph } from './figures.ts';
import type { Trace, TraceFigures } from './trace.ts';

/** A replay beside what it re-enacts. */
export interface Comparison {
  readonly original: TraceFigures;
  readonly replay: TraceFigures;
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
  const tasks = convert(recording);
  const numbers = tasks.map(({ name }) => PLAYED.exec(name)?.[1]);
  const played = tasks.filter((_: RecordedTask, at) => numbers[at] !== undefined);
  const replay = figuresOf(played, recording.lost);
  const { figures: original } = trace;
  const [before, after] = [wakeUpGraph(trace.tasks, String), wakeUpGraph(tasks, (id) => numbers[id])];
  const [wakes, replayed] = [before, after].map((graph) =>
    [...graph.values()].reduce((sum, n) => sum + n, 0),
  ) as [number, number];
  const runnable = rate(original.runnableNs, original);
  return {
    original,
    replay,
    ownSwitchRatio: rate(ownSwitches(replay), replay) / rate(ownSwitches(original), original),
    switchRatio: rate(replay.switches, replay) / rate(original.switches, original),
    ...(runnable === 0 ? {} : { runnableRatio: rate(replay.runnableNs, replay) / runnable }),
    ...(wakes === 0 ? {} : { wakeRatio: replayed / wakes }),
    graphDistance: graphDistance(before, after),
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
