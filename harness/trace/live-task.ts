// SPDX-License-Identifier: Apache-2.0
import type { Scheduling } from './events.ts';
import type { Operation } from './trace.ts';

/** A wake-up: when, and the waker's operation, which counts only once it has ended a wait. */
export interface WakeUp {
  readonly atNs: number;
  readonly timer: boolean;
  readonly by?: {
    readonly task: LiveTask;
    readonly operation: Draft;
    readonly sync?: true;
    /** It did so because it ended, after so many waits. */
    readonly endingAfter?: number;
  };
}

/** Both sides of a wake-up by a task that ends, and how often it had waited before. */
export interface EndingWake {
  readonly waits: number;
  readonly wait: Draft;
  readonly wake: Draft;
}

export type Draft = { value?: Operation; readonly atNs: number };

/** A task while the events of a recording are gone through. */
export interface LiveTask {
  readonly id: number;
  name: string;
  scheduling: Scheduling;
  readonly drafts: Draft[];
  readonly parent?: LiveTask | undefined;
  ended: boolean;
  /** How often it has waited. */
  waits: number;
  readonly endingWakes: EndingWake[];
  /** Tasks whose end it has waited for. */
  readonly awaited: Set<LiveTask>;
  /** Children that have ended, since it last waited for one. */
  endedChildren: LiveTask[];
  /** CPU time that belongs to no operation yet. */
  run: number;
  onCpuSince?: number | undefined;
  runnableSince?: number | undefined;
  waiting?: { readonly sinceNs: number; readonly operation: Draft } | undefined;
  /** The last wake-up: it may have come right before the wait. */
  woken?: WakeUp | undefined;
  /** Due time of its last timer, when it has waited for nothing else since. */
  timerNs?: number | undefined;
  readonly beganNs: number;
  lastNs: number;
  switches: number;
  preemptions: number;
  interruptions: number;
  runNs: number;
  runnableNs: number;
}

/** Closes the computing before an operation, and adds that; true when what it is will be known later. */
export function push(task: LiveTask, atNs: number, operation?: Operation | true): Draft {
  if (task.run > 0) task.drafts.push({ value: { do: 'run', ns: task.run }, atNs });
  task.run = 0;
  const draft: Draft = operation === undefined || operation === true ? { atNs } : { value: operation, atNs };
  if (operation !== undefined) task.drafts.push(draft);
  return draft;
}

/**
 * A task went on when others had ended. It may well have waited for all of them: who finds that one has ended already does not
 * sleep, and leaves no wake-up.
 */
export function goOnAfter(task: LiveTask, others: readonly LiveTask[], atNs: number): void {
  for (const other of others) {
    if (task.awaited.has(other)) continue;
    task.awaited.add(other);
    push(task, atNs, { do: 'afterEnd', task: other.id });
  }
}

/** Says what a wait was for, now that it has ended. */
export function settle(
  task: LiveTask,
  waiting: NonNullable<LiveTask['waiting']>,
  { atNs, timer, by }: WakeUp,
): void {
  if (by !== undefined) {
    task.timerNs = undefined;
    waiting.operation.value = {
      ...{ do: 'wait', task: by.task.id },
      ...(by.sync === undefined ? {} : { sync: by.sync }),
    };
    by.operation.value = { do: 'wake', task: task.id };
    if (by.endingAfter !== undefined) {
      by.task.endingWakes.push({ waits: by.endingAfter, wait: waiting.operation, wake: by.operation });
      task.awaited.add(by.task);
      goOnAfter(task, task.endedChildren, atNs);
      task.endedChildren = [];
    }
    return;
  }
  const ns = Math.max(0, atNs - waiting.sinceNs);
  waiting.operation.value =
    timer && task.timerNs !== undefined
      ? { do: 'period', ns: Math.max(0, atNs - task.timerNs) }
      : { do: 'sleep', ns };
  task.timerNs = timer ? atNs : undefined;
}

/**
 * Who was woken by a task that ended waited for its end. Not, when that task waited once more before it was gone: then its end may have
 * needed the one that it woke.
 */
export function settleEnd({ id, ended, waits, endingWakes }: LiveTask): void {
  for (const each of endingWakes) {
    if (!ended || each.waits !== waits) continue;
    each.wait.value = { do: 'waitEnd', task: id };
    delete each.wake.value;
  }
}

/** Leaves out what came to nothing, and joins the computing around it. `endsNs`: when each operation was over. */
export function operationsOf(drafts: readonly Draft[]): {
  readonly operations: readonly Operation[];
  readonly endsNs: readonly number[];
} {
  const operations: Operation[] = [];
  const endsNs: number[] = [];
  for (const { value, atNs } of drafts) {
    const last = operations.at(-1);
    if (value === undefined) continue;
    if (value.do === 'run' && last?.do === 'run') {
      operations[operations.length - 1] = { do: 'run', ns: last.ns + value.ns };
      endsNs[operations.length - 1] = atNs;
    } else {
      operations.push(value);
      endsNs.push(atNs);
    }
  }
  return { operations, endsNs };
}
