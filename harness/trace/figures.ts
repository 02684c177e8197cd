// SPDX-License-Identifier: Apache-2.0
import type { RecordedTask } from './convert.ts';
import type { TracedTask, TraceFigures } from './trace.ts';

/** What was counted of some tasks of a recording together. `lost` is the whole recording's. */
export function figuresOf(tasks: readonly RecordedTask[], lost: number): TraceFigures {
  const sum = (of: (task: RecordedTask) => number) => tasks.reduce((total, task) => total + of(task), 0);
  const began = tasks.reduce((least, { beganNs }) => Math.min(least, beganNs), Number.POSITIVE_INFINITY);
  const last = tasks.reduce((most, { lastNs }) => Math.max(most, lastNs), 0);
  return {
    durationNs: tasks.length === 0 ? 0 : last - began,
    switches: sum(({ switches }) => switches),
    preemptions: sum(({ preemptions }) => preemptions),
    interruptions: sum(({ interruptions }) => interruptions),
    runNs: sum(({ runNs }) => runNs),
    runnableNs: sum(({ runnableNs }) => runnableNs),
    lost,
  };
}

/** Stands for whoever wakes tasks and is none of them: timers, devices, other tasks. */
export const OUTSIDE = 'outside';

/** Wake-ups that ended a wait, by `waker>woken`. `nameOf` names a task by its number; undefined leaves out what it is part of. */
export function wakeUpGraph(
  tasks: readonly TracedTask[],
  nameOf: (task: number) => string | undefined,
): ReadonlyMap<string, number> {
  const edges = new Map<string, number>();
  for (const [id, { operations }] of tasks.entries()) {
    const woken = nameOf(id);
    if (woken === undefined) continue;
    for (const operation of operations) {
      const byTask = operation.do === 'wait' || operation.do === 'waitEnd';
      if (!byTask && operation.do !== 'sleep' && operation.do !== 'period') continue;
      const waker = byTask ? nameOf(operation.task) : OUTSIDE;
      if (waker === undefined) continue;
      const edge = `${waker}>${woken}`;
      edges.set(edge, (edges.get(edge) ?? 0) + 1);
    }
  }
  return edges;
}

/**
 * Total variation distance of two graphs' shares of edges: 0 for the same shares, 1 for graphs without a common edge. Two graphs
 * without edges are the same.
 */
export function graphDistance(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  const [ofA, ofB] = [a, b].map((graph) => [...graph.values()].reduce((sum, count) => sum + count, 0)) as [
    number,
    number,
  ];
  if (ofA === 0 || ofB === 0) return ofA === ofB ? 0 : 1;
  const edges = new Set([...a.keys(), ...b.keys()]);
  const apart = [...edges].reduce(
    (sum, edge) => sum + Math.abs((a.get(edge) ?? 0) / ofA - (b.get(edge) ?? 0) / ofB),
    0,
  );
  return apart / 2;
}
