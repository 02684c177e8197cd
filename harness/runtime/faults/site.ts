// SPDX-License-Identifier: Apache-2.0
import type { JournalLine, KernelState, Status } from '../contracts.ts';

/** What can go wrong with a machine that has the daemon. */
export const FAULTS = [
  'kill-daemon',
  'kill-daemon-switching',
  'kill-scheduler',
  'eject',
  'stall',
  'sysrq',
  'stranger',
  'corrupt-map',
  'full-disk',
  'probe-gone',
  'kill-switch',
  'kill-switch-frozen',
  'stop-daemon',
  'kill-guardian',
  'stop-guardian',
  'deaf-scheduler',
  'pipe-for-progress',
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** A machine on which faults are made: one of variables and processes, or a guest with a real kernel. */
export interface Site {
  /** ns, monotonic; virtual in a guest. */
  nowNs(): number;
  /** Faults that can be made here. */
  readonly kinds: readonly FaultKind[];
  /** Policies that can be applied, with what the kernel calls them; undefined for settings and EEVDF. */
  readonly policies: ReadonlyMap<string, string | undefined>;
  /** Under which policies a fault can be made. */
  policiesFor(kind: FaultKind): readonly string[];
  /** The daemon's answer; undefined when none answers now. */
  status(): Promise<Status | undefined>;
  /** Has the daemon apply a policy, past its safeguards; why it did not, undefined when it did. */
  apply(policy: string): Promise<string | undefined>;
  resume(): Promise<void>;
  kernel(): KernelState;
  /** Names of schedulers in the order in which the kernel enabled them, as far as it tells; and how many it enabled. */
  enabled(): { readonly count: number; readonly names?: readonly string[] };
  /** What is not as it would be under this policy, beside sched_ext: settings; undefined when all is. */
  amiss(policy: string): string | undefined;
  journal(): Promise<readonly JournalLine[]>;
  /** Whether a task that wants a CPU gets one, within a second. */
  works(): Promise<boolean>;
  /** Makes the fault; resolves when it is made, with how long it took until EEVDF was back, ms, where that is what it is about. */
  inject(kind: FaultKind, random: () => number): Promise<number | undefined>;
  /** Puts right what stays wrong by itself: map, disk, probe, somebody else's scheduler. */
  heal(kind: FaultKind): Promise<void>;
}

/** Words in the daemon's faults that tell of what is wrong, as long as it is. */
export const TOLD: Readonly<Partial<Record<FaultKind, RegExp>>> = {
  'corrupt-map': /map|database|malformed/i,
  'full-disk': /ENOSPC|no space/i,
  'probe-gone': /probe set/,
};

/** Faults after which the kill switch is latched. */
export const LATCHES: ReadonlySet<FaultKind> = new Set([
  'sysrq',
  'kill-switch',
  'kill-switch-frozen',
  'deaf-scheduler',
]);
