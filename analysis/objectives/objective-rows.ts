// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../../harness/core/trial.ts';
import { outcomeTable } from '../tables/outcome-table.ts';
import type { OutcomeRow, TableInput } from '../tables/outcome-types.ts';
import { groupTrials } from '../tables/table-groups.ts';
import { metricsByObjective, OBJECTIVES, type Objective } from './objectives.ts';
import { paretoFront } from './pareto.ts';

/** Columns of `objectives.csv` in order; `results/README.md` describes each. */
export const OBJECTIVE_COLUMNS = [
  'run',
  'workload',
  'variant',
  'point',
  'engine',
  'policy',
  'objective',
  'metric',
  'unit',
  'direction',
  'modelled',
  'median',
  'cost',
  'cost_low',
  'cost_high',
  'verdict',
  'n',
  'failure_rate',
  'on_front',
] as const;
export type ObjectiveRow = Readonly<Record<(typeof OBJECTIVE_COLUMNS)[number], string | number | undefined>>;

/**
 * A row for each workload, policy and objective that the workload has a metric for. `cost` is the ratio to the baseline, turned so that
 * lower is better for every metric; a policy is on the Pareto front when no other is at least as good in all objectives and better in one.
 * Policies with failures are on no front.
 */
export function objectiveRows(input: TableInput): ObjectiveRow[] {
  const chosen = metricsOf(input.records);
  const grouped = input.grouped ?? groupTrials(input);
  const tables = new Map(
    [...new Set([...chosen.values()].flatMap((byObjective) => [...byObjective.values()]))].map((metric) => [
      metric,
      outcomeTable({ ...input, grouped, metric, onlyRatios: true }).rows,
    ]),
  );
  const groups = new Map<string, { row: OutcomeRow; objective: Objective }[]>();
  const [anyRows = []] = tables.values();
  anyRows.forEach((_, at) => {
    for (const objective of OBJECTIVES) {
      const place = anyRows[at] as OutcomeRow;
      const metric = chosen.get(place.workload)?.get(objective);
      const row = metric === undefined ? undefined : tables.get(metric)?.[at];
      if (row === undefined || row.role === 'aa') continue;
      const key = JSON.stringify([row.engine, row.workload, row.variant, row.point]);
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push({ row, objective });
    }
  });
  return [...groups.values()].flatMap((group) => groupRows(input.run, group));
}

function groupRows(run: string, group: readonly { row: OutcomeRow; objective: Objective }[]): ObjectiveRow[] {
  const objectives = [...new Set(group.map(({ objective }) => objective))];
  const costs = new Map<string, number[]>();
  for (const policy of new Set(group.map(({ row }) => row.policy))) {
    const own = group.filter(({ row }) => row.policy === policy);
    const values = own.map(({ row }) => costOf(row)?.cost);
    const failed = own.some(({ row }) => row.failures.length > 0);
    if (!failed && values.every((value) => value !== undefined)) costs.set(policy, values);
  }
  const front = objectives.length < 2 ? undefined : paretoFront(costs);
  return group.map(({ row, objective }) => {
    const cost = costOf(row);
    const failed = row.failures.reduce((sum, { trials }) => sum + trials.length, 0);
    return {
      ...{
        run,
        workload: row.workload,
        variant: row.variant,
        point: row.point,
        engine: row.engine,
        policy: row.policy,
      },
      ...{ objective, metric: row.metric?.name, unit: row.metric?.unit, direction: row.metric?.direction },
      modelled:
        row.metric === undefined
          ? undefined
          : row.metric.name.endsWith('_modelled')
            ? 'modelled'
            : 'measured',
      ...{ median: row.median, cost: cost?.cost, cost_low: cost?.low, cost_high: cost?.high },
      ...{ verdict: row.verdict, n: row.n },
      failure_rate: row.recorded === 0 ? undefined : failed / row.recorded,
      on_front:
        front === undefined || !costs.has(row.policy) ? undefined : front.has(row.policy) ? 'yes' : 'no',
    };
  });
}

/** The baseline costs 1. */
function costOf({ role, ratio, metric, n }: OutcomeRow) {
  if (role === 'baseline') return n > 0 ? { cost: 1, low: undefined, high: undefined } : undefined;
  if (ratio === undefined || ratio.kind === 'none') return undefined;
  const ends = ratio.kind === 'interval' ? ratio : { low: undefined, high: undefined };
  if (metric?.direction !== 'higher') return { cost: ratio.ratio, low: ends.low, high: ends.high };
  const turned = (value: number | undefined) => (value === undefined ? undefined : 1 / value);
  return { cost: 1 / ratio.ratio, low: turned(ends.high), high: turned(ends.low) };
}

/** The metric of each workload for each objective, from all its completed trials. */
function metricsOf(records: readonly TrialRecord[]): ReadonlyMap<string, ReadonlyMap<Objective, string>> {
  const first = new Map<string, TrialRecord>();
  for (const record of records) {
    const known = first.get(record.workload);
    if (record.state === 'completed' && (known === undefined || record.trial < known.trial)) {
      first.set(record.workload, record);
    }
  }
  return new Map(
    [...first].map(([workload, record]) => [
      workload,
      metricsByObjective(record.state === 'completed' ? record.metrics : []),
    ]),
  );
}
