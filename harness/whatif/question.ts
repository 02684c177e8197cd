// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../core/fork-point.ts';
import type { Seed } from '../core/seed.ts';
import type { Machine, WorkloadUse } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';

/** One state of a machine: all that happened up to the fork point follows from the seed. */
export interface AskedState {
  /** Block of the spec whose seed it is; absent when the seed was given. */
  readonly block?: number;
  readonly seed: Seed;
}

/** What would each policy have done from the very same states? Plain data. */
export interface Question {
  readonly image: string;
  readonly machine: Machine;
  readonly workload: WorkloadUse;
  readonly point: ForkPoint;
  /** The futures that are asked for, in order; one policy may stand twice. All are prepared before the fork. */
  readonly policies: readonly string[];
  /** One of the policies. */
  readonly baseline: string;
  readonly states: readonly AskedState[];
}

/** A trial for each policy from each state, state after state. */
export function trialsOf({ workload, point, policies, states }: Question): PlannedTrial[] {
  const pairs = states.flatMap((state, index) =>
    policies.map((policy) => ({ ...state, block: state.block ?? index, policy })),
  );
  return pairs.map(({ block, seed, policy }, index) => ({
    trial: String(index + 1).padStart(4, '0'),
    block,
    seed,
    ...workload,
    point,
    policy,
    role: 'measure',
  }));
}

/** The question with the baseline among its policies: first, when nobody named it. */
export function withBaseline(question: Question): Question {
  const { policies, baseline } = question;
  return policies.includes(baseline) ? question : { ...question, policies: [baseline, ...policies] };
}
