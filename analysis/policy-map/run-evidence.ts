// SPDX-License-Identifier: Apache-2.0
import type { CompletedTrial, TrialRecord } from '../../harness/core/trial.ts';
import { metricsByObjective } from '../objectives/objectives.ts';
import type { Evidence, Machine, Objective, Outcome, RunEvidence } from './evidence.ts';

/** The policy that all others are compared with, in every map. */
export const BASELINE = 'eevdf';

/** A run as learning needs it. */
export interface LearntRun {
  readonly run: string;
  readonly machine: Machine;
  readonly image?: string;
  readonly definitions?: string;
  readonly createdAt: string;
  readonly records: readonly TrialRecord[];
  /** Vectors of a completed trial, with the number of their window (-1: the whole run). */
  readonly vectorsOf: (
    record: CompletedTrial,
  ) => readonly { readonly window: number; readonly values: readonly number[] }[];
}

/** What a run teaches: itself, its vectors, and what came of each policy. Null controls teach nothing about policies, and are left out. */
export function* evidenceOfRun(given: LearntRun): Iterable<Evidence> {
  const { run, machine, image, definitions, createdAt, vectorsOf } = given;
  const about: RunEvidence = { kind: 'run', run, machine, createdAt };
  yield {
    ...about,
    ...(image === undefined ? {} : { image }),
    ...(definitions === undefined ? {} : { definitions }),
  };
  const records = given.records.filter(({ role }) => role === 'measure');
  const baselines = new Map<string, TrialRecord>();
  for (const record of records) if (record.policy === BASELINE) baselines.set(blockOf(record), record);
  for (const record of records) {
    const { trial, workload, variant, point, policy } = record;
    const facts = { run, trial, workload, variant, point, policy, at: record.host.startedAt };
    if (record.state === 'completed') {
      for (const { window, values } of vectorsOf(record)) {
        yield { kind: 'observation', ...facts, window, vector: values };
      }
    }
    if (policy !== BASELINE) yield outcome(record, facts, baselines.get(blockOf(record)));
  }
}

type Facts = Pick<Outcome, 'run' | 'trial' | 'workload' | 'variant' | 'point' | 'policy' | 'at'>;

function outcome(record: TrialRecord, facts: Facts, baseline: TrialRecord | undefined): Outcome {
  const { block, seed, state } = record;
  const paired = baseline?.state === 'completed';
  // A workload that fails under the baseline, too, is not the policy's fault; that the kernel threw a scheduler out is.
  const blamed = state === 'ejected' || state === 'refused' || (state !== 'completed' && paired);
  return {
    kind: 'outcome',
    ...facts,
    ...(paired ? { baseline: baseline.trial } : {}),
    block,
    seed,
    state,
    failed: blamed,
    logCosts: state === 'completed' && paired ? logCosts(record, baseline) : {},
  };
}

/** Costs over the baseline's by objective, as far as both trials have the metric and it is positive. */
export function logCosts(
  record: CompletedTrial,
  baseline: CompletedTrial,
): Partial<Record<Objective, number>> {
  const costs: Partial<Record<Objective, number>> = {};
  const names = metricsByObjective(record.metrics);
  const primary = record.metrics.find((metric) => metric.primary)?.name;
  for (const objective of ['primary', 'time', 'tail', 'energy'] as const) {
    const name = objective === 'primary' ? primary : names.get(objective);
    const metric = record.metrics.find((each) => each.name === name);
    const base = baseline.metrics.find((each) => each.name === name);
    if (metric === undefined || base === undefined || metric.unit !== base.unit) continue;
    if (!(metric.value > 0 && base.value > 0)) continue;
    const log = Math.log(metric.value / base.value);
    costs[objective] = metric.direction === 'lower' ? log : -log;
  }
  return costs;
}

function blockOf({ workload, variant, point, block }: TrialRecord): string {
  return JSON.stringify([workload, variant, point, block]);
}
