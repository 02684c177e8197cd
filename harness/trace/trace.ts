// SPDX-License-Identifier: Apache-2.0
import type { Scheduling } from './events.ts';

/** What a task did, in its own order. Involuntary switches are no operations: they are the scheduler's. Times in nanoseconds. */
export type Operation =
  /** Used so much CPU time. */
  | { readonly do: 'run'; readonly ns: number }
  /** Woke a task that waited for it. */
  | { readonly do: 'wake'; readonly task: number }
  /** Waited until woken by a task; `sync`: by one that told the scheduler that it is about to wait itself. */
  | { readonly do: 'wait'; readonly task: number; readonly sync?: true }
  /** Waited until a task had ended. */
  | { readonly do: 'waitEnd'; readonly task: number }
  /** Went on when a task had ended already, and could not have before. */
  | { readonly do: 'afterEnd'; readonly task: number }
  /** What it computes next is its part of work that several tasks share: who comes first does more. */
  | { readonly do: 'share'; readonly work: number }
  /** Waited so long for a timer, a device or a task outside the trace. */
  | { readonly do: 'sleep'; readonly ns: number }
  /** Waited for a timer that came so long after its last one, with nothing but computing between. */
  | { readonly do: 'period'; readonly ns: number }
  | { readonly do: 'start'; readonly task: number }
  | { readonly do: 'class'; readonly class: Scheduling['class']; readonly level: number }
  | { readonly do: 'cpus'; readonly mask: number };

export interface TracedTask {
  /** As the kernel names it, last. */
  readonly name: string;
  readonly operations: readonly Operation[];
}

/** Where a trace comes from; what is absent is not known. */
export interface TraceOrigin {
  readonly kernel: string;
  readonly cpus: number;
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly engine?: string;
  readonly image?: string;
  readonly workload?: string;
  readonly variant?: string;
  readonly policy?: string;
  readonly seed?: number;
}

/** What was counted while it was recorded; all tasks of the trace together. */
export interface TraceFigures {
  /** From the start of the first task to the last event. */
  readonly durationNs: number;
  /** Times that a task came to a CPU. */
  readonly switches: number;
  /** Times that a task left its CPU though it could have gone on. */
  readonly preemptions: number;
  /** Those of them for a task that is not in the trace, such as a thread of the kernel. */
  readonly interruptions: number;
  readonly runNs: number;
  /** Time in which tasks could have run and had no CPU. */
  readonly runnableNs: number;
  /** Events that the recorder had no room for. */
  readonly lost: number;
}

/** A recorded run. Task 0 is the program that was started; every other task is started once, by a task before its end. */
export interface Trace {
  readonly origin: TraceOrigin;
  readonly figures: TraceFigures;
  readonly tasks: readonly TracedTask[];
}
