// SPDX-License-Identifier: Apache-2.0
import type { TracedTask } from './trace.ts';

/**
 * Why a trace could not be played to its end, in one sentence; undefined when it can. Every task but the first is started once, and
 * every wait has its wake-up. Plays all tasks without time, a wake-up being for the one who made it and the one who gets it: a player
 * may be less strict, as workloads/replay is, and then comes as far at least, in whatever order a machine chooses.
 */
export function stuckFault(tasks: readonly TracedTask[]): string | undefined {
  const begun = new Set([0]);
  const at = tasks.map(() => 0);
  /** By `waker woken`: wake-ups that nobody has waited for yet. */
  const kept = new Map<string, number>();
  /** By the same: who waits. */
  const waiting = new Map<string, number>();
  const ended = new Set<number>();
  /** Who waits for a task's end. */
  const waitingForEnd = new Map<number, number[]>();
  const ready = [0];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    const { operations } = tasks[id] as TracedTask;
    let next = at[id] as number;
    for (; next < operations.length; next++) {
      const operation = operations[next];
      if (operation?.do === 'start') {
        if (begun.has(operation.task))
          return `task ${operation.task} is started for the second time, by task ${id}`;
        begun.add(operation.task);
        ready.push(operation.task);
      } else if (operation?.do === 'wake') {
        const edge = `${id} ${operation.task}`;
        kept.set(edge, (kept.get(edge) ?? 0) + 1);
        const sleeper = waiting.get(edge);
        waiting.delete(edge);
        if (sleeper !== undefined) ready.push(sleeper);
      } else if (operation?.do === 'wait') {
        const edge = `${operation.task} ${id}`;
        const there = kept.get(edge) ?? 0;
        if (there === 0) {
          waiting.set(edge, id);
          break;
        }
        kept.set(edge, there - 1);
      } else if (
        (operation?.do === 'waitEnd' || operation?.do === 'afterEnd') &&
        !ended.has(operation.task)
      ) {
        waitingForEnd.set(operation.task, [...(waitingForEnd.get(operation.task) ?? []), id]);
        break;
      }
    }
    at[id] = next;
    if (next < operations.length) continue;
    ended.add(id);
    ready.push(...(waitingForEnd.get(id) ?? []));
    waitingForEnd.delete(id);
  }
  const [stuck] = waiting;
  if (stuck !== undefined) {
    return `task ${stuck[1]} waits for a wake-up by task ${stuck[0].split(' ')[0]} that never comes`;
  }
  const [forEnd] = waitingForEnd;
  if (forEnd !== undefined) {
    return `task ${forEnd[1][0]} waits for the end of task ${forEnd[0]}, which never comes`;
  }
  const never = tasks.findIndex((_, id) => !begun.has(id));
  return never < 0 ? undefined : `task ${never} is never started`;
}
