// SPDX-License-Identifier: Apache-2.0
import type { Recording, SchedEvent, Scheduling } from './events.ts';
import { goOnAfter, type LiveTask, operationsOf, push, settle, settleEnd } from './live-task.ts';
import { shareWork } from './shared-work.ts';
import type { TracedTask } from './trace.ts';

const UNSAID: Scheduling = { class: 'other', level: 0, cpus: 0 };

/** A task with what was counted of it. */
export interface RecordedTask extends TracedTask {
  /** The task that started it. */
  readonly parent?: number;
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
  const tasks = walk.tasks.map((task) => {
    const { name, drafts, beganNs, lastNs, switches, preemptions, interruptions, runNs, runnableNs } = task;
    return {
      ...{ name, ...operationsOf(drafts) },
      ...(task.parent === undefined ? {} : { parent: task.parent.id }),
      ...{ beganNs, lastNs, switches, preemptions, interruptions, runNs, runnableNs },
    };
  });
  return shareWork(tasks, recording.durationNs);
}

class Walk {
  readonly tasks: LiveTask[] = [];
  readonly #alive = new Map<number, LiveTask>();

  constructor(root: number) {
    this.#begin(root, { name: 'program', scheduling: UNSAID }, 0);
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
      this.#close(task, atNs);
    }
    for (const task of this.tasks) settleEnd(task);
  }

  /** The first task ends last of all that have ended: when it does, the program is over. */
  #close(task: LiveTask, atNs: number): void {
    push(task, atNs);
    if (task.id !== 0) return;
    const ended = this.tasks.filter((each) => each.ended);
    goOnAfter(task, ended, atNs);
  }

  #begin(
    pid: number,
    { name, scheduling, parent }: Pick<LiveTask, 'name' | 'scheduling' | 'parent'>,
    atNs: number,
  ): LiveTask {
    const task: LiveTask = {
      ...{ id: this.tasks.length, name, scheduling, parent, drafts: [], run: 0, runnableSince: atNs },
      ...{ ended: false, waits: 0, endingWakes: [], awaited: new Set<LiveTask>(), endedChildren: [] },
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
      this.#close(task, atNs);
      task.ended = true;
      task.parent?.endedChildren.push(task);
      this.#alive.delete(pid);
      return;
    }
    task.waits++;
    const operation = push(task, atNs, true);
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
      const how = {
        ...(kind === 'sync' ? ({ sync: true } as const) : {}),
        ...(kind === 'end' ? { endingAfter: by.waits } : {}),
      };
      task.woken = { atNs, timer: false, by: { task: by, operation: push(by, atNs, true), ...how } };
    }
    if (task.waiting !== undefined) task.runnableSince = atNs;
  }

  #start(parent: number, child: number, atNs: number): void {
    const by = this.#alive.get(parent);
    if (by === undefined) return;
    this.#spend(by, atNs);
    const { id } = this.#begin(child, { name: by.name, scheduling: by.scheduling, parent: by }, atNs);
    push(by, atNs, { do: 'start', task: id });
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
      push(task, event.atNs, { do: 'class', class: of, level });
    if (cpus !== before.cpus) push(task, event.atNs, { do: 'cpus', mask: cpus });
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
