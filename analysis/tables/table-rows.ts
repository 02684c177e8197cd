// SPDX-License-Identifier: Apache-2.0
import { TRIAL_STATES } from '../../harness/core/trial.ts';
import type { OutcomeRow, OutcomeTable } from './outcome-types.ts';

/** A cell of the flat form; `undefined` is missing. */
export type TableCell = string | number | undefined;

/** Columns of `table.csv` in order; `results/README.md` describes each. */
export const TABLE_COLUMNS = [
  'run',
  'workload',
  'variant',
  'point',
  'engine',
  'policy',
  'role',
  'metric',
  'unit',
  'direction',
  'median',
  'ratio',
  'low',
  'high',
  'interval_method',
  'percentile_low',
  'percentile_high',
  'bca_low',
  'bca_high',
  'p',
  'p_holm',
  'p_bh',
  'p_t',
  'p_t_holm',
  'p_differs',
  'p_equivalent',
  'cliffs_delta',
  'margin',
  'noise',
  'detectable',
  'verdict',
  'rank',
  'n',
  'hosts',
  'outliers',
  'failure_rate',
  'planned',
  'recorded',
  'completed',
  'failed',
  'ejected',
  'refused',
  'timed-out',
  'crashed',
  'reasons',
] as const;
export type TableColumn = (typeof TABLE_COLUMNS)[number];
export type FlatRow = Readonly<Record<TableColumn, TableCell>>;

/** The table as flat rows with full precision, for CSV, JSON and figures. */
export function tableRows(table: OutcomeTable): FlatRow[] {
  return table.rows.map((row) => flatRow(table, row));
}

function flatRow({ run, margin }: Pick<OutcomeTable, 'run' | 'margin'>, row: OutcomeRow): FlatRow {
  const { ratio, statistics, adjusted, tested } = row;
  const interval = ratio?.kind === 'interval' ? ratio : undefined;
  const counts = stateCounts(row);
  return {
    run,
    workload: row.workload,
    variant: row.variant,
    point: row.point,
    engine: row.engine,
    policy: row.policy,
    role: row.role,
    metric: row.metric?.name,
    unit: row.metric?.unit,
    direction: row.metric?.direction,
    median: row.median,
    ratio: ratio === undefined || ratio.kind === 'none' ? undefined : ratio.ratio,
    low: interval?.low,
    high: interval?.high,
    interval_method: interval?.method,
    percentile_low: statistics?.percentile.low,
    percentile_high: statistics?.percentile.high,
    bca_low: statistics?.bca?.low,
    bca_high: statistics?.bca?.high,
    p: statistics?.p,
    p_holm: adjusted?.holm,
    p_bh: adjusted?.bh,
    p_t: interval?.p,
    p_t_holm: adjusted?.tHolm,
    p_differs: tested?.pDiffers,
    p_equivalent: tested?.pEquivalent,
    cliffs_delta: statistics?.cliffsDelta,
    margin: row.role === 'baseline' ? undefined : margin,
    noise: tested?.noise,
    detectable: tested?.detectable,
    verdict: row.verdict,
    rank: row.rank,
    n: row.n,
    hosts: row.hosts,
    outliers: statistics?.outliers.length,
    failure_rate: row.recorded === 0 ? undefined : 1 - counts.completed / row.recorded,
    planned: row.planned,
    recorded: row.recorded,
    ...counts,
    reasons: row.failures.length === 0 ? undefined : row.failures.map(({ reason }) => reason).join('; '),
  };
}

function stateCounts(row: OutcomeRow): Record<(typeof TRIAL_STATES)[number], number> {
  const unmeasured = row.failures.reduce((total, { trials }) => total + trials.length, 0);
  const counts = TRIAL_STATES.map((state) => {
    const ended = row.failures.filter((group) => group.state === state);
    const count = ended.reduce((total, { trials }) => total + trials.length, 0);
    return [state, state === 'completed' ? row.recorded - unmeasured : count] as const;
  });
  return Object.fromEntries(counts) as Record<(typeof TRIAL_STATES)[number], number>;
}
