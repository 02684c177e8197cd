// SPDX-License-Identifier: Apache-2.0
import type { TableCell } from '../tables/table-rows.ts';
import type { ComparedRow, Comparison } from './compare-runs.ts';

/** Columns of a comparison for programs, in order; `results/README.md` describes each. */
export const COMPARE_COLUMNS = [
  'workload',
  'variant',
  'point',
  'policy',
  'metric',
  'unit',
  'direction',
  'median_a',
  'median_b',
  'ratio',
  'low',
  'high',
  'interval_method',
  'p',
  'p_differs',
  'p_equivalent',
  'noise',
  'verdict',
  'n',
  'failure_rate_a',
  'failure_rate_b',
  'p_failures',
  'regression',
] as const;
export type CompareFlatRow = Readonly<Record<(typeof COMPARE_COLUMNS)[number], TableCell>>;

/** A comparison as flat rows with full precision. */
export function compareRows({ rows }: Comparison): CompareFlatRow[] {
  return rows.map(flatRow);
}

function flatRow(row: ComparedRow): CompareFlatRow {
  const { ratio } = row;
  const interval = ratio.kind === 'interval' ? ratio : undefined;
  return {
    workload: row.workload,
    variant: row.variant,
    point: row.point,
    policy: row.policy,
    metric: row.metric?.name,
    unit: row.metric?.unit,
    direction: row.metric?.direction,
    median_a: row.medianA,
    median_b: row.medianB,
    ratio: ratio.kind === 'none' ? undefined : ratio.ratio,
    low: interval?.low,
    high: interval?.high,
    interval_method: interval?.method,
    p: interval?.p,
    p_differs: row.tested?.pDiffers,
    p_equivalent: row.tested?.pEquivalent,
    noise: row.tested?.noise,
    verdict: row.verdict,
    n: ratio.pairs,
    failure_rate_a: row.failureRateA,
    failure_rate_b: row.failureRateB,
    p_failures: row.pFailures,
    regression: row.regression ? 'yes' : 'no',
  };
}
