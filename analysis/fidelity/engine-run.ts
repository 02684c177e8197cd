// SPDX-License-Identifier: Apache-2.0
import type { EngineName, PlannedTrial, TrialRecord } from '../../harness/core/trial.ts';
import type { TableInput } from '../tables/outcome-types.ts';

/** The experiment that every engine ran, as the spec has it. */
export type FidelitySpec = TableInput['spec'];

/** One engine's run of the experiment, or why there is none. */
export type EngineRun =
  | {
      readonly engine: EngineName;
      readonly status: 'ran';
      /** Policies that this engine could run; the spec's when all. */
      readonly policies: readonly string[];
      readonly planned: readonly PlannedTrial[];
      readonly records: readonly TrialRecord[];
    }
  | { readonly engine: EngineName; readonly status: 'absent'; readonly why: string };

export type RanEngine = Extract<EngineRun, { status: 'ran' }>;

/** Engines that ran, in order. */
export function ranEngines(runs: readonly EngineRun[]): RanEngine[] {
  return runs.filter((run) => run.status === 'ran');
}
