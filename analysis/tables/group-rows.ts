// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../../harness/core/trial.ts';
import { canDrift, pairedEvidence } from '../stats/evidence.ts';
import { median } from '../stats/median.ts';
import { pairedRatio } from '../stats/paired-ratio.ts';
import { type BlockPair, cellStatistics } from './cell-statistics.ts';
import type { FailureGroup, OutcomeRow, RowRole, TableInput } from './outcome-types.ts';
import { type MetricChoice, metricValue, pickMetric } from './pick-metric.ts';
import { type Group, type GroupTrials, trialsOf } from './table-groups.ts';

/** The rows of one group without verdicts, one for each role that the engine has seen; `nextNote` numbers the footnotes of failures. */
export function groupRows(
  { spec: { baseline }, metric: wanted, hosts, level, onlyRatios }: TableInput & { readonly level: number },
  group: Group,
  trials: GroupTrials,
  roles: readonly RowRole[],
  nextNote: () => number,
): OutcomeRow[] {
  const metric = pickMetric(trials.records, wanted);
  const valuesOf = (policy: string, role: 'measure' | 'aa') =>
    valuesByBlock(trialsOf(trials, policy, role).records, metric);
  const baselineValues = valuesOf(baseline, 'measure');

  return roles.flatMap(({ policy, role }): OutcomeRow[] => {
    const own = trialsOf(trials, policy, role === 'aa' ? 'aa' : 'measure');
    // With several engines a row that this engine never saw belongs to another one.
    if (own.planned === 0 && own.records.length === 0) return [];
    const values = valuesByBlock(own.records, metric);
    const middle = median([...values.values()]);
    const pairs = role === 'baseline' ? undefined : pairUp(values, baselineValues, hosts);
    const ratio = pairs && pairedRatio(pairs, level);
    const statistics =
      pairs &&
      onlyRatios !== true &&
      cellStatistics(pairs, [...Object.values(group), policy, role, metric?.name ?? ''], level);
    const evidence =
      ratio?.kind === 'interval' ? pairedEvidence(pairs ?? [], canDrift(group.engine)) : undefined;
    return [
      {
        ...group,
        policy,
        role,
        ...(metric === undefined ? {} : { metric }),
        ...(middle === undefined ? {} : { median: middle }),
        ...(ratio === undefined ? {} : { ratio }),
        ...(statistics ? { statistics } : {}),
        ...(evidence === undefined ? {} : { evidence }),
        n: ratio?.pairs ?? values.size,
        ...(own.records.length === 0 ? {} : { hosts: countHosts(own.records, hosts) }),
        planned: own.planned,
        recorded: own.records.length,
        failures: failureGroups(own.records, nextNote),
      },
    ];
  });
}

function countHosts(records: readonly TrialRecord[], hosts: TableInput['hosts']): number {
  return hosts === undefined ? 1 : new Set(records.map(({ block }) => hosts.get(block))).size;
}

function valuesByBlock(
  records: readonly TrialRecord[],
  metric: MetricChoice | undefined,
): Map<number, number> {
  const values = new Map<number, number>();
  if (metric === undefined) return values;
  for (const record of records) {
    const value = metricValue(record, metric.name);
    if (value !== undefined) values.set(record.block, value);
  }
  return values;
}

function pairUp(
  values: ReadonlyMap<number, number>,
  baselines: ReadonlyMap<number, number>,
  hosts: TableInput['hosts'],
): BlockPair[] {
  // By block, so that sums do not depend on the order in which trials ended.
  const blocks = [...values.keys()].sort((a, b) => a - b);
  return blocks.flatMap((block) => {
    const baseline = baselines.get(block);
    if (baseline === undefined) return [];
    return [{ block, value: values.get(block) as number, baseline, host: hosts?.get(block) }];
  });
}

function failureGroups(records: readonly TrialRecord[], nextNote: () => number): FailureGroup[] {
  const groups = new Map<
    string,
    { state: FailureGroup['state']; reason: string; trials: string[]; log?: string }
  >();
  const failed = records.filter(({ state }) => state !== 'completed');
  for (const record of failed.sort((a, b) => (a.trial < b.trial ? -1 : 1))) {
    if (record.state === 'completed') continue;
    const key = JSON.stringify([record.state, record.reason]);
    const group = groups.get(key) ?? { state: record.state, reason: record.reason, trials: [] };
    groups.set(key, group);
    group.trials.push(record.trial);
    if (record.host.log !== undefined) group.log ??= record.host.log;
  }
  return [...groups.values()].map((group) => ({ note: nextNote(), ...group }));
}
