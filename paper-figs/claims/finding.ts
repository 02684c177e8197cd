// SPDX-License-Identifier: Apache-2.0
import type { LabelledVector } from '../../analysis/features/separation.ts';
import type { Example } from '../../analysis/policy-map/choose/training.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import type { WorkloadClass } from '../../harness/core/workload.ts';
import type { ReplayFigures } from './replay-figures.ts';

export const VERDICTS = ['reproduced', 'partly', 'not reproduced', 'not testable', 'not judged'] as const;
/** `not testable`: this engine or version cannot show it; `not judged`: it could, but the data are not there. */
export type ClaimVerdict = (typeof VERDICTS)[number];

/** What the data say of one claim. */
export interface Finding {
  readonly verdict: ClaimVerdict;
  /** Sentences with the numbers that the verdict follows from, the deciding one first. */
  readonly because: readonly string[];
  /** The same numbers by name; missing is missing. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** The part of a run that verdicts rest on. */
export interface JudgedRun {
  readonly spec: { readonly baseline: string };
  readonly records: readonly TrialRecord[];
}

/** All that a claim may be judged by. Pure: equal evidence gives an equal finding. */
export interface Evidence {
  /** The claim's runs by the name of their experiment; those that were not run are absent. */
  readonly runs: ReadonlyMap<string, JudgedRun>;
  /** Class of each workload that ships. */
  readonly classes: ReadonlyMap<string, WorkloadClass>;
  /** Kind and subsystem of each policy that ships. */
  readonly policies: ReadonlyMap<string, { readonly kind: string; readonly subsystem?: string }>;
  /** Vectors of the baseline's trials by experiment, of experiments with probes. */
  readonly vectors: ReadonlyMap<string, readonly LabelledVector[]>;
  /** What a map knows that learnt an experiment, under its name, together with the run that gave its vectors. */
  readonly situations: ReadonlyMap<string, readonly Example[]>;
  /** Figures of replays that are kept, by the name that claims give them. */
  readonly replays?: ReadonlyMap<string, ReplayFigures>;
}

/** The finding when an experiment of a claim has no run, or no trial that completed. */
export function notRun(missing: readonly string[]): Finding {
  return {
    verdict: 'not judged',
    because: [`no completed trial of ${missing.join(', ')}: run the experiment first`],
    numbers: {},
  };
}

/** A share of the cost as people read it: 0.253 is `25.3 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
