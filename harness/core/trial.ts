// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from './fork-point.ts';
import type { Seed } from './seed.ts';
import type { TrialRecord } from './trial-record.ts';
import type { ParameterValues } from './workload.ts';

export {
  type ChangedSetting,
  type CompletedTrial,
  ENGINE_NAMES,
  type EngineName,
  type HostOfTrial,
  type KnobState,
  type SchedExtState,
  type SchedulerExit,
  type TakeOver,
  TRIAL_STATES,
  type TrialRecord,
  type TrialState,
  type UnmeasuredTrial,
  type Usage,
} from './trial-record.ts';

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

/** What a trial is, beside its number: two trials of one cell, point and block are the same trial. */
export type TrialIdentity = Pick<
  TrialRecord,
  'block' | 'seed' | 'workload' | 'variant' | 'point' | 'policy' | 'role'
>;
