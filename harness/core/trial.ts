// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from './fork-point.ts';
import type { Metric } from './metric.ts';
import type { ProbeSet, ProbeTotals } from './probe-counters.ts';
import type { Seed } from './seed.ts';
import type { ParameterValues } from './workload.ts';

export const ENGINE_NAMES = ['exact', 'tcg', 'kvm', 'native', 'mock'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What a trial is to be, fixed by the plan before anything runs. */
export interface PlannedTrial {
  /** Position in the plan, zero-padded: `0007`. */
  readonly trial: string;
  /** Block number from 0: all trials of a block share the seed. */
  readonly block: number;
  readonly seed: Seed;
  readonly workload: string;
  /** Readable name of the parameter values, unique within a workload of a spec, e.g. `transport=pipe,groups=2`. */
  readonly variant: string;
  readonly params: ParameterValues;
  /** Where the policy takes over. */
  readonly point: ForkPoint;
  readonly policy: string;
  /** `measure`, or `aa` for the baseline run again with another seed (null control). */
  readonly role: 'measure' | 'aa';
}

/** What the kernel said about sched_ext at one moment. Strings are as read from sysfs; absent when the file was. */
export interface SchedExtState {
  readonly state?: string;
  readonly ops?: string;
  readonly enableSeq?: string;
  readonly nrRejected?: string;
  /** Settings that are the policy, as read at that moment. */
  readonly knobs?: readonly KnobState[];
  /** `1` when every task of the normal classes is the scheduler's, `0` when only those that asked for it are. */
  readonly switchAll?: string;
}

/** A setting of the kernel: what it read before the policy, and now; `restored`: what it read when it had been put back. */
export interface KnobState {
  readonly path: string;
  readonly before: string;
  readonly value: string;
  readonly restored?: string;
}

/** Why a sched_ext scheduler left: kernel's exit kind, reason and message. */
export interface SchedulerExit {
  readonly kind?: number;
  readonly reason: string;
}

/** What the run's processes used, as the guest's kernel accounts it. Absent in records from before it was kept. */
export interface Usage {
  readonly elapsedNs: number;
  readonly userNs: number;
  readonly systemNs: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/** Where and when a trial ran. */
export interface HostOfTrial {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly seconds: number;
  /** 1, or 2 when the machine itself died the first time. */
  readonly attempt: number;
  /** Names the node, by what it is; absent in records from before it was kept. */
  readonly fingerprint?: string;
  /** Energy of all processor packages of the host while the trial ran, J; absent without counters, or when other trials ran meanwhile. */
  readonly joules?: number;
}

interface TrialFacts {
  readonly v: 1;
  readonly run: string;
  readonly trial: string;
  readonly block: number;
  readonly seed: number;
  readonly workload: string;
  readonly variant: string;
  readonly point: ForkPoint;
  readonly policy: string;
  readonly role: 'measure' | 'aa';
  readonly engine: EngineName;
  /** Kernel's evidence from when the policy took over, and from the workload's end; absent when the trial never got there. */
  readonly schedBefore?: SchedExtState;
  readonly schedAfter?: SchedExtState;
  /** Exit status of the workload (128 + signal when killed by one). */
  readonly exitStatus?: number;
  readonly usage?: Usage;
  /** The workload's whole output, bounded; `outputBytes` is its true length. */
  readonly output?: string;
  readonly outputBytes?: number;
  /** What probes counted from the run's start to its end, by set; absent without probes, or when the guest never got there. */
  readonly probes?: { readonly [set in ProbeSet]?: ProbeTotals };
  /** SHA-256 of every byte that the guest sent: equal digests mean equal runs. */
  readonly transcript?: string;
  /** Guest time from power-on to the end, seconds. Virtual on `exact`. */
  readonly guestSeconds?: number;
  /** Host facts: never compared between runs. */
  readonly host: HostOfTrial;
}

export interface CompletedTrial extends TrialFacts {
  readonly state: 'completed';
  readonly metrics: readonly Metric[];
}

/** A trial that yields no metric. `reason` is one line; `detail` keeps the words of kernel or program. */
export interface UnmeasuredTrial extends TrialFacts {
  readonly state: 'failed' | 'ejected' | 'refused' | 'timed-out' | 'crashed';
  readonly reason: string;
  readonly detail?: string;
  readonly schedulerExit?: SchedulerExit;
}

export type TrialRecord = CompletedTrial | UnmeasuredTrial;
export type TrialState = TrialRecord['state'];
export const TRIAL_STATES = [
  'completed',
  'failed',
  'ejected',
  'refused',
  'timed-out',
  'crashed',
] as const satisfies readonly TrialState[];
