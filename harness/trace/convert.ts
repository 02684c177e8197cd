// SPDX-License-Identifier: Apache-2.0
import type { Recording, SchedEvent, Scheduling } from './events.ts';
import type { Operation, TracedTask } from './trace.ts';

/** A wake-up: when, and the waker's operation, which counts only once it has ended a wait. */
interface WakeUp {
  readonly atNs: number;
  readonly timer: boolean;
  readonly by?: { readonly task: LiveTask; readonly operation: Draft };
}

type Draft = { value?: Operation };

/** A task while the events are gone through. */
interface LiveTask {
  readonly id: number;
  name: string;
  scheduling: Scheduling;
  readonly drafts: Draft[];
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

const UNSAID: Scheduling = { class: 'other', level: 0, cpus: 0 };

/** A task with what was counted of it. */
export interface RecordedTask extends TracedTask {
  /** From its start to the last time that it was seen. */
  readonly beganNs: number;
  readonly lastNs: number;
  readonly switches: number;
  readonly preemptions: number;
  readonly interruptions: number;
  readonly runNs: number;
  readonly runnableNs: number;
}

/**
 * Turns what the kernel told into what each task did. Tasks are numbered in the order in which they started. A wake-up counts when it
 * ended a wait: the kernel tells of others, too, of tasks that had not fallen asleep yet and never did.
 */
export function convert(recording: Recording): readonly RecordedTask[] {
  const walk = new Walk(recording.root);
  for (const event of recording.events) walk.take(event);
  walk.end(recording.durationNs);
  return walk.tasks.map((task) => {
    const { name, drafts, beganNs, lastNs, switches, preemptions, interruptions, runNs, runnableNs } = task;
    return {
      ...{ name, operations: operationsOf(drafts) },
      ...{ beganNs, lastNs, switches, preemptions, interruptions, runNs, runnableNs },
    };
  });
}

class Walk {
  readonly tasks: LiveTask[] = [];
  readonly #alive = new Map<number, LiveTask>();

  constructor(root: number) {
    this.#begin(root, 'program', UNSAID, 0);
  }

  take(event: SchedEvent): void {
    switch (event.kind) {
      case 'switch':
        this.#leave(event.leaves, event.leave, event.comes === 0, event.atNs);
        this.#come(event.comes, event.atNs);
        return;
      case 'wake':
        this.#wake(event);
        return;
      case 'start':
        this.#start(event.parent, event.child, event.atNs);
        return;
      case 'task':
        this.#describe(event);
    }
  }

  /** The recording ends here, whatever still runs or waits. */
  end(atNs: number): void {
    for (const task of this.#alive.values()) {
      // Woken, and not on a CPU any more.
      if (task.waiting !== undefined && task.woken !== undefined) settle(task, task.waiting, task.woken);
      this.#spend(task, atNs);
      push(task);
    }
  }

  #begin(pid: number, name: string, scheduling: Scheduling, atNs: number): LiveTask {
    const task: LiveTask = {
      ...{ id: this.tasks.length, name, scheduling, drafts: [], run: 0, runnableSince: atNs },
      ...{
        beganNs: atNs,
        lastNs: atNs,
        switches: 0,
        preemptions: 0,
        interruptions: 0,
        runNs: 0,
        runnableNs: 0,
      },
    };
    this.tasks.push(task);
    this.#alive.set(pid, task);
    return task;
  }

  #leave(pid: number, how: 'preempted' | 'blocked' | 'dead', forOther: boolean, atNs: number): void {
    const task = this.#alive.get(pid);
    if (task === undefined) return;
    this.#spend(task, atNs);
    task.onCpuSince = undefined;
    if (how === 'preempted') {
      task.preemptions++;
      if (forOther) task.interruptions++;
      task.runnableSince = atNs;
      return;
    }
    if (how === 'dead') {
      push(task);
      this.#alive.delete(pid);
      return;
    }
    const operation = push(task, {});
    task.waiting = { sinceNs: atNs, operation };
    // When this wait has been ended already, no other wake-up comes before the task runs.
    if (task.woken !== undefined) task.runnableSince = atNs;
  }

  #come(pid: number, atNs: number): void {
    const task = this.#alive.get(pid);
    if (task === undefined) return;
    task.lastNs = Math.max(task.lastNs, atNs);
    task.switches++;
    if (task.waiting !== undefined) {
      settle(task, task.waiting, task.woken ?? { atNs, timer: false });
      task.waiting = undefined;
    }
    if (task.runnableSince !== undefined) task.runnableNs += Math.max(0, atNs - task.runnableSince);
    task.woken = undefined;
    task.runnableSince = undefined;
    task.onCpuSince = atNs;
  }

  #wake({ waker, woken, by: kind, atNs }: SchedEvent & { readonly kind: 'wake' }): void {
    const task = this.#alive.get(woken);
    if (task === undefined) return;
    const by = this.#alive.get(waker);
    if (by === undefined || by === task) task.woken = { atNs, timer: kind === 'timer' };
    else {
      this.#spend(by, atNs);
      task.woken = {
        atNs,
        timer: false,
        by: { task: by, operation: push(by, {}) },
      };
    }
    if (task.waiting !== undefined) task.runnableSince = atNs;
  }

  #start(parent: number, child: number, atNs: number): void {
    const by = this.#alive.get(parent);
    if (by === undefined) return;
    this.#spend(by, atNs);
    const { id } = this.#begin(child, by.name, by.scheduling, atNs);
    push(by, { value: { do: 'start', task: id } });
  }

  #describe(event: SchedEvent & { readonly kind: 'task' }): void {
    const task = this.#alive.get(event.task);
    if (task === undefined) return;
    const { name, class: of, level, cpus } = event;
    const before = task.scheduling;
    task.name = name;
    task.scheduling = { class: of, level, cpus };
    this.#spend(task, event.atNs);
    if (of !== before.class || level !== before.level)
      push(task, { value: { do: 'class', class: of, level } });
    if (cpus !== before.cpus) push(task, { value: { do: 'cpus', mask: cpus } });
  }

  /** Counts the CPU time up to now; clocks of two CPUs may differ by a little. */
  #spend(task: LiveTask, atNs: number): void {
    if (task.onCpuSince === undefined) return;
    const ns = Math.max(0, atNs - task.onCpuSince);
    task.run += ns;
    task.runNs += ns;
    task.lastNs = Math.max(task.lastNs, atNs);
    task.onCpuSince = Math.max(task.onCpuSince, atNs);
  }
}

/** Closes the computing before an operation, and adds that. */
function push(task: LiveTask, draft?: Draft): Draft {
  if (task.run > 0) task.drafts.push({ value: { do: 'run', ns: task.run } });
  task.run = 0;
  const added = draft ?? {};
  if (draft !== undefined) task.drafts.push(added);
  return added;
}

/** Says what a wait was for, now that it has ended. */
function settle(
  task: LiveTask,
  waiting: NonNullable<LiveTask['waiting']>,
  { atNs, timer, by }: WakeUp,
): void {
  if (by !== undefined) {
    waiting.operation.value = { do: 'wait', task: by.task.id };
    by.operation.value = { do: 'wake', task: task.id };
    task.timerNs = undefined;
    return;
  }
  const ns = Math.max(0, atNs - waiting.sinceNs);
  waiting.operation.value =
    timer && task.timerNs !== undefined
      ? { do: 'period', ns: Math.max(0, atNs - task.timerNs) }
      : { do: 'sleep', ns };
  task.timerNs = timer ? atNs : undefined;
}

/** Leaves out what came to nothing, and joins the computing around it. */
function operationsOf(drafts: readonly Draft[]): Operation[] {
  const operations: Operation[] = [];
  for (const { value } of drafts) {
    const last = operations.at(-1);
    if (value === undefined) continue;
    if (value.do === 'run' && last?.do === 'run') {
      operations[operations.length - 1] = { do: 'run', ns: last.ns + value.ns };
    } else operations.push(value);
  }
  return operations;
}
