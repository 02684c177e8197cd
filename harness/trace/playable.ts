// SPDX-License-Identifier: Apache-2.0
import type { TracedTask } from './trace.ts';

/**
 * Why a trace could not be played to its end, in one sentence; undefined when it can. Every task but the first is started once; every
 * wait has its wake-up, and every wake-up that is not free its wait. Plays all tasks without time, by the rules of
 * workloads/replay: whatever order a machine chooses, it comes as far.
 */
export function stuckFault(tasks: readonly TracedTask[]): string | undefined {
  const begun = new Set([0]);
  const at = tasks.map(() => 0);
  /** By waker and woken: how many waits have begun, how many wake-ups were given, and who cannot go on for want of the other. */
  const edges = new Map<string, Edge>();
  const waits = new Set<number>();
  const ready = [0];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    const { operations } = tasks[id] as TracedTask;
    let next = at[id] as number;
    let goes = true;
    for (; next < operations.length && goes; next++) {
      const operation = operations[next];
      if (operation?.do === 'start') {
        if (begun.has(operation.task))
          return `task ${operation.task} is started for the second time, by task ${id}`;
        begun.add(operation.task);
        ready.push(operation.task);
      } else if (operation?.do === 'wake' || operation?.do === 'wait') {
        const wakes = operation.do === 'wake';
        const edge = edgeOf(edges, wakes ? `${id} ${operation.task}` : `${operation.task} ${id}`);
        // A task that comes to the same operation once more has counted itself already.
        if (!waits.delete(id)) edge[wakes ? 'wakes' : 'waits']++;
        goes = wakes ? operation.free === true || edge.waits >= edge.wakes : edge.wakes >= edge.waits;
        if (edge.stuck !== undefined && edge.stuck !== id) ready.push(edge.stuck);
        edge.stuck = goes ? undefined : id;
        if (!goes) waits.add(id);
      }
    }
    at[id] = goes ? next : next - 1;
  }
  const [stuck] = waits;
  if (stuck !== undefined) {
    const operation = tasks[stuck]?.operations[at[stuck] as number] as {
      readonly do: string;
      readonly task: number;
    };
    const what = operation.do === 'wait' ? 'waits for a wake-up by' : 'wakes';
    const why = operation.do === 'wait' ? 'that never comes' : 'which never waits for it';
    return `task ${stuck} ${what} task ${operation.task}, ${why}`;
  }
  const never = tasks.findIndex((_, id) => !begun.has(id));
  return never < 0 ? undefined : `task ${never} is never started`;
}

interface Edge {
  waits: number;
  wakes: number;
  stuck?: number | undefined;
}

function edgeOf(edges: Map<string, Edge>, key: string): Edge {
  const edge = edges.get(key) ?? { waits: 0, wakes: 0 };
  edges.set(key, edge);
  return edge;
}
