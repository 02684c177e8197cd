// SPDX-License-Identifier: Apache-2.0
import type { Cell } from '../cells.ts';
import type { Machine, Observation, Outcome, RunEvidence } from '../evidence.ts';
import type { PolicySummary } from '../summary.ts';

/** Numbers by which rows of each table refer to one another, counted from 1 by whoever writes. */
export interface LastNumbers {
  readonly machine: number;
  readonly run: number;
  readonly policy: number;
  readonly situation: number;
  readonly cell: number;
}

export interface KnownRun {
  readonly id: number;
  readonly machine: number;
  readonly digest: string;
}

export interface SituationKey {
  readonly machine: number;
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
}

export interface SituationRow extends SituationKey {
  readonly id: number;
  readonly summaries: readonly PolicySummary[];
}

/** Key of an observation or outcome. */
export interface TrialKey {
  readonly run: number;
  readonly trial: string;
  /** Of an observation; -2 stands for the outcome. */
  readonly window: number;
}

export interface ObservationRow extends TrialKey {
  readonly cell: number;
  readonly situation: number;
  readonly policy: number;
  readonly vector: Float32Array;
  readonly evidence: Observation;
  readonly digest: string;
}

export interface OutcomeRow extends TrialKey {
  readonly situation: number;
  readonly policy: number;
  readonly evidence: Outcome;
  readonly digest: string;
}

/** What one step of learning changes. */
export interface Changes {
  readonly machines: readonly { readonly id: number; readonly machine: Machine }[];
  readonly runs: readonly (KnownRun & { readonly evidence: RunEvidence })[];
  readonly policies: readonly { readonly id: number; readonly name: string }[];
  /** New ones, and those of which the summaries changed. */
  readonly situations: readonly SituationRow[];
  /** New ones, and those that grew. */
  readonly cells: readonly Cell[];
  readonly observations: readonly ObservationRow[];
  readonly outcomes: readonly OutcomeRow[];
}

/** The rows of a map inside one transaction, whichever database keeps them. */
export interface Tables {
  lastNumbers(): Promise<LastNumbers>;
  machines(): Promise<readonly { readonly id: number; readonly machine: Machine }[]>;
  policies(): Promise<readonly { readonly id: number; readonly name: string }[]>;
  cells(machine: number): Promise<readonly Cell[]>;
  run(name: string): Promise<KnownRun | undefined>;
  /** Those of `keys` that there are. */
  situations(keys: readonly SituationKey[]): Promise<readonly SituationRow[]>;
  /** Digests of the evidence that is there already, by {@link trialKey}. */
  digests(keys: readonly TrialKey[]): Promise<ReadonlyMap<string, string>>;
  write(changes: Changes): Promise<void>;
}

/** Of an outcome: it has no window. */
export const NO_WINDOW = -2;

export function trialKey({ run, trial, window }: TrialKey): string {
  return `${run}/${window}/${trial}`;
}

export function situationKey({ machine, workload, variant, point }: SituationKey): string {
  return JSON.stringify([machine, workload, variant, point]);
}
