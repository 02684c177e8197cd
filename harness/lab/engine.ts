// SPDX-License-Identifier: Apache-2.0
import type { PolicyDefinition } from '../core/policy.ts';
import type { Seed } from '../core/seed.ts';
import type { Machine, Probes } from '../core/spec.ts';
import type { EngineName } from '../core/trial.ts';

/** What a guest is told to do: data, never a shell string. */
export interface Orders {
  readonly trial: string;
  readonly seed: Seed;
  readonly policy: { readonly id: string; readonly definition: PolicyDefinition };
  /**
   * Policies that a process holds: loaded and verified before the choice, the same for all trials of an experiment: sorted by
   * id, each program with its arguments once.
   */
  readonly candidates: readonly { readonly id: string; readonly definition: PolicyDefinition }[];
  /** Kernel modules with options that settings among the policies need, loaded before the choice; none when absent. */
  readonly modules?: readonly string[];
  /** Probes that count during the run; the same for all trials of an experiment. */
  readonly probes?: Probes;
  /** Complete argument vectors; absent warm-up means none. */
  readonly warmup?: readonly string[];
  readonly run: readonly string[];
  /** Files that warm-up and run read: place in the guest, directly in /run, and content. */
  readonly files?: readonly { readonly path: string; readonly content: Buffer }[];
  /** Path in the guest of what the run leaves for the host, sent as frame `trace`. */
  readonly trace?: string;
  /** Longest guest time of one workload run. */
  readonly deadlineMs: number;
  /** Guest time from the start of the run at which the policy takes over; before warm-up and run when absent. */
  readonly forkAtMs?: number;
  /** Settings of the kernel that nobody is to change during the trial: read before and after; the same for all policies of a block. */
  readonly watch?: readonly string[];
}

/** One frame that the guest sent. */
export interface Frame {
  readonly kind: FrameKind;
  /** Guest's monotonic clock. */
  readonly guestNs: bigint;
  readonly payload: Buffer;
}

/**
 * Frames in the order in which a healthy trial sends them.
 *
 * hello, ready (machine quiescent), prepared (one for each candidate, in order: `Prepared`), attached (the kernel names the policy:
 * `SchedExtState` as JSON) or refused ({reason}), warm ({exit}), output (the workload's bytes, bounded), trace (the file `Orders.trace`,
 * when the run left it), result (`RunResult`), after
 * (`SchedExtState`), changed (one for each setting of `Orders.watch` that changed: `ChangedSetting`), probes (one for each set: `ProbeReadings`), policy-log (what a scheduler process printed), klog (kernel log), done. Where the policy takes over during the run,
 * warm and then forked (`Forked`) come before attached or refused. `error` ({reason}) says that the agent itself failed.
 */
export const FRAME_KINDS = [
  'hello',
  'ready',
  'prepared',
  'forked',
  'attached',
  'refused',
  'warm',
  'output',
  'trace',
  'result',
  'after',
  'changed',
  'probes',
  'policy-log',
  'klog',
  'error',
  'done',
] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

/** Payload of a `ready` frame, as far as the host uses it. */
export interface Ready {
  /** Hexadecimal address of the kernel's `__switch_to_asm` and two offsets in its task_struct; absent when not to be had. */
  readonly switchTo?: string;
  readonly pidOffset?: number;
  readonly commOffset?: number;
}

/** Payload of a `prepared` frame: whether a candidate is loaded and waits to attach. */
export type Prepared =
  | { readonly ops: string; readonly held: true }
  | { readonly ops: string; readonly held: false; readonly reason: string };

/** Payload of a `forked` frame: guest time from the start of the run to where the policy takes over. */
export interface Forked {
  readonly runNs: number;
}

/** Payload of a `result` frame (also of `warm`). */
export interface RunResult {
  /** Exit status, 128 + signal when killed by one. */
  readonly exit: number;
  /** True when the agent killed the run at its deadline. */
  readonly timedOut: boolean;
  readonly elapsedNs: number;
  /** Guest time from the start of the run to when the policy took over; absent when that was before the run. */
  readonly forkNs?: number;
  /** And to when the kernel had it; absent from guests that do not say so. */
  readonly activeNs?: number;
  readonly userNs: number;
  readonly systemNs: number;
  /** CPU time of all that the program started, also of what nobody waited for; absent where that is not counted. */
  readonly allUserNs?: number;
  readonly allSystemNs?: number;
  /** Processes that were still there when the program had ended, and those that could not be killed then. */
  readonly leftover?: number;
  readonly stuck?: number;
  readonly names?: readonly string[];
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  /** True length of the output; the `output` frame is bounded. */
  readonly outputBytes: number;
}

/** How a machine ended, and all that it said. */
export interface GuestOutcome {
  /**
   * `done`: the guest sent `done` and powered off. `died`: the VM ended without it (panic, killed, would not start).
   * `deadline`: the host stopped it after `hostDeadlineMs`.
   */
  readonly ended: 'done' | 'died' | 'deadline';
  readonly frames: readonly Frame[];
  /** SHA-256 of every byte received from the guest's data channel. */
  readonly transcript: string;
  /** The kernel console; of more than 32 KiB the first and the last half. */
  readonly consoleTail: string;
  /** Exit code or signal of the VM process and its last words, when it `died`. */
  readonly cause?: string;
  /** A fork `died` before it was let go: what its machine had said before is no word of this trial. */
  readonly neverRan?: true;
  readonly hostSeconds: number;
  /** Of the host's processor packages from start to end, J; only of engines and trials that it says something about. */
  readonly joules?: number;
}

export interface EngineStatus {
  readonly engine: EngineName;
  readonly works: boolean;
  /** Why, in one sentence, from having tried. */
  readonly why: string;
}

/** A way to run one trial. Implementations: exact, tcg, kvm, native, mock. */
export interface Engine {
  readonly name: EngineName;
  /**
   * Boots a machine, gives it `orders`, waits until it has ended. Never throws for what happens inside the guest.
   * Aborting `signal` kills the VM and rejects with the signal's reason. Leaves the console in `folder`.
   */
  runTrial(orders: Orders, machine: Machine, folder: string, signal: AbortSignal): Promise<GuestOutcome>;
}
