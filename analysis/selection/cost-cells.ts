// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../../harness/core/trial.ts';
import { metricValue, pickMetric } from '../tables/pick-metric.ts';

/** What one policy cost on one situation in one block. */
export interface CostCell {
  readonly block: number;
  readonly policy: string;
  /**
   * Natural logarithm of the policy's cost over the baseline's in the same block: a metric of which less is better is the cost
   * itself, of any other it is the reciprocal. Below 0 the policy is better. Undefined: there is no such pair.
   */
  readonly logCost?: number;
  /** The trial did not complete. */
  readonly failed: boolean;
}

/** A workload with its parameters and fork point: what a policy is chosen for. */
export interface Situation {
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
  /** Cells of all policies but the baseline, by block, then by policy. */
  readonly cells: readonly CostCell[];
  /** Blocks in which the baseline completed, rising. */
  readonly blocks: readonly number[];
  /** Blocks in which anything is recorded and the baseline has no cost, rising: nothing can be said of them. */
  readonly without: readonly number[];
}

/** Costs by situation, each relative to the baseline's in its block; A/A trials are left out. Situations in the order of their names. */
export function situationsOf(records: readonly TrialRecord[], baseline: string): readonly Situation[] {
  const groups = new Map<string, TrialRecord[]>();
  for (const record of records) {
    if (record.role !== 'measure') continue;
    const key = JSON.stringify([record.workload, record.variant, record.point]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(record);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => situation(group, baseline));
}

function situation(records: readonly TrialRecord[], baseline: string): Situation {
  const [first] = records as [TrialRecord, ...TrialRecord[]];
  const metric = pickMetric(records, undefined);
  const costOf = (record: TrialRecord): number | undefined => {
    const value = metric === undefined ? undefined : metricValue(record, metric.name);
    if (value === undefined || !(value > 0)) return undefined;
    return metric?.direction === 'lower' ? Math.log(value) : -Math.log(value);
  };
  const baselines = new Map<number, number>();
  for (const record of records) {
    const cost = record.policy === baseline ? costOf(record) : undefined;
    if (cost !== undefined) baselines.set(record.block, cost);
  }
  const cells = records
    .filter(({ policy }) => policy !== baseline)
    .map((record): CostCell => {
      const [own, base] = [costOf(record), baselines.get(record.block)];
      return {
        block: record.block,
        policy: record.policy,
        ...(own === undefined || base === undefined ? {} : { logCost: own - base }),
        failed: record.state !== 'completed',
      };
    })
    .sort((a, b) => a.block - b.block || (a.policy < b.policy ? -1 : 1));
  const blocks = [...baselines.keys()].sort((a, b) => a - b);
  const without = [...new Set(records.map(({ block }) => block))]
    .filter((block) => !baselines.has(block))
    .sort((a, b) => a - b);
  return { workload: first.workload, variant: first.variant, point: first.point, cells, blocks, without };
}
