// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { holm } from '../stats/adjust.ts';
import { median } from '../stats/median.ts';
import { type PairedRatio, pairedRatio } from '../stats/paired-ratio.ts';
import { MARGIN, type Verdict, verdict } from '../stats/verdict.ts';
import { type UnpairedRatio, welchRatio } from '../stats/welch-ratio.ts';
import { outcomeTable } from '../tables/outcome-table.ts';
import type { OutcomeRow } from '../tables/outcome-types.ts';
import { type MetricChoice, metricValue } from '../tables/pick-metric.ts';
import type { PooledRun } from '../tables/pool-runs.ts';

/** One policy on one workload in both runs: what B makes of it against A. */
export interface ComparedRow {
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
  readonly policy: string;
  readonly metric?: MetricChoice;
  readonly medianA?: number;
  readonly medianB?: number;
  /** B's value over A's: paired where both ran the same seeds, else of two samples. */
  readonly ratio: PairedRatio | UnpairedRatio;
  /** After Holm's correction over all compared cells. */
  readonly pHolm?: number;
  /** The larger noise floor of the two runs. */
  readonly floor?: number;
  readonly verdict?: Verdict;
  readonly failureRateA: number;
  readonly failureRateB: number;
  /** `worse` and still significant after the correction, or nothing completed in B where something did in A. */
  readonly regression: boolean;
}

export interface Comparison {
  readonly rows: readonly ComparedRow[];
  /** Cells that one run alone has, in words. */
  readonly alone: readonly string[];
  readonly regressions: number;
}

const ALPHA = 0.05;

/**
 * Compares run B with run A, cell by cell, over the cells that both have. Throws PmvxError (usage) when they are of different engines,
 * unless `mixed`, or have no cell in common.
 */
export function compareRuns(
  a: PooledRun,
  b: PooledRun,
  {
    mixed = false,
    metric,
    margin = MARGIN,
  }: { readonly mixed?: boolean; readonly metric?: string; readonly margin?: number } = {},
): Comparison {
  const [engineA, engineB] = [a.spec.machine.engine, b.spec.machine.engine];
  if (engineA !== engineB && !mixed) {
    throw new PmvxError(ExitCode.usage, {
      where: `${a.run}, ${b.run}`,
      what: `the runs are of different engines (${engineA}; ${engineB}): time means something else on each`,
      next: 'pmvx fidelity compares engines; --mixed sets them side by side all the same',
    });
  }
  const [rowsA, rowsB] = [rowsOf(a, metric), rowsOf(b, metric)];
  const [cellsA, cellsB] = [recordsByCell(a), recordsByCell(b)];
  const compared = [...rowsA].flatMap(([key, rowA]) => {
    const rowB = rowsB.get(key);
    return rowB === undefined
      ? []
      : [
          compareCell(
            { run: a.run, row: rowA, records: cellsA.get(key) ?? [] },
            { run: b.run, row: rowB, records: cellsB.get(key) ?? [] },
            margin,
          ),
        ];
  });
  if (compared.length === 0) {
    throw new PmvxError(ExitCode.usage, {
      where: `${a.run}, ${b.run}`,
      what: 'the runs have no workload, point and policy in common',
      next: 'Compare runs of the same spec',
    });
  }
  const rows = withHolm(compared);
  const alone = (rows: typeof rowsA, others: typeof rowsA, run: string) =>
    [...rows].flatMap(([key, row]) =>
      others.has(key)
        ? []
        : [`${row.workload} ${row.variant} at ${row.point}, ${row.policy}: in ${run} alone`],
    );
  return {
    rows,
    alone: [...alone(rowsA, rowsB, a.run), ...alone(rowsB, rowsA, b.run)],
    regressions: rows.filter(({ regression }) => regression).length,
  };
}

/** Measured rows of a run, by what must be equal to compare. */
function rowsOf(run: PooledRun, metric: string | undefined): ReadonlyMap<string, OutcomeRow> {
  const table = outcomeTable({ ...run, onlyRatios: true, ...(metric === undefined ? {} : { metric }) });
  const rows = table.rows.filter(({ role }) => role !== 'aa');
  return new Map(
    rows.map((row) => [JSON.stringify([row.workload, row.variant, row.point, row.policy]), row]),
  );
}

interface Cell {
  readonly run: string;
  readonly row: OutcomeRow;
  readonly records: readonly TrialRecord[];
}

function compareCell(a: Cell, b: Cell, margin: number): ComparedRow {
  const [rowA, rowB] = [a.row, b.row];
  const { workload, variant, point, policy } = rowA;
  const metric = rowA.metric ?? rowB.metric;
  if (rowA.metric && rowB.metric && JSON.stringify(rowA.metric) !== JSON.stringify(rowB.metric)) {
    throw new PmvxError(ExitCode.usage, {
      where: `${a.run}, ${b.run}: ${workload} ${variant}`,
      what: `the runs have different metrics: ${metricWords(rowA.metric)} and ${metricWords(rowB.metric)}`,
      next: 'Choose one that both have with --metric',
    });
  }
  const [valuesA, valuesB] = [a, b].map(({ records }) => valuesBySeed(records, metric)) as [Values, Values];
  const ratio = ratioOf(valuesA, valuesB);
  const floors = [rowA.floor, rowB.floor].filter((floor) => floor !== undefined);
  const floor = floors.length === 0 ? undefined : Math.max(...floors);
  const judged = metric && verdict(ratio, { direction: metric.direction, margin, floor });
  const [medianA, medianB] = [valuesA, valuesB].map((values) => median([...values.values()]));
  return {
    ...{ workload, variant, point, policy, ratio },
    ...(metric === undefined ? {} : { metric }),
    ...(medianA === undefined ? {} : { medianA }),
    ...(medianB === undefined ? {} : { medianB }),
    ...(floor === undefined ? {} : { floor }),
    ...(judged === undefined ? {} : { verdict: judged }),
    ...{ failureRateA: failureRate(rowA), failureRateB: failureRate(rowB) },
    regression: valuesA.size > 0 && valuesB.size === 0 && rowB.recorded > 0,
  };
}

type Values = ReadonlyMap<number, number>;

function valuesBySeed(records: readonly TrialRecord[], metric: MetricChoice | undefined): Values {
  const values = records.map((record) => [record.seed, metric && metricValue(record, metric.name)] as const);
  return new Map(values.filter((entry): entry is [number, number] => entry[1] !== undefined));
}

function recordsByCell({ records }: PooledRun): ReadonlyMap<string, TrialRecord[]> {
  const cells = new Map<string, TrialRecord[]>();
  for (const record of records) {
    if (record.role !== 'measure') continue;
    const cell = cells.get(cellKey(record)) ?? [];
    cells.set(cellKey(record), cell);
    cell.push(record);
  }
  return cells;
}

function cellKey({
  workload,
  variant,
  point,
  policy,
}: Pick<ComparedRow, 'workload' | 'variant' | 'point' | 'policy'>): string {
  return JSON.stringify([workload, variant, point, policy]);
}

/** Paired by seed where the runs share any; what one run alone has is left out then. */
function ratioOf(a: Values, b: Values): PairedRatio | UnpairedRatio {
  const shared = [...a.keys()].filter((seed) => b.has(seed)).sort((x, y) => x - y);
  if (shared.length === 0) return welchRatio([...b.values()], [...a.values()]);
  return pairedRatio(
    shared.map((seed) => ({ value: b.get(seed) as number, baseline: a.get(seed) as number })),
  );
}

/** Adjusts, and says which cells are worse for sure. Equal ratios in all blocks have no p: nothing about them is chance. */
function withHolm(rows: readonly ComparedRow[]): ComparedRow[] {
  const tested = rows.filter(({ ratio }) => ratio.kind === 'interval');
  const adjusted = holm(
    tested.map(({ ratio }) => (ratio.kind === 'interval' ? (ratio.p ?? (ratio.ratio === 1 ? 1 : 0)) : 1)),
  );
  const pOf = new Map(tested.map((row, at) => [row, adjusted[at] as number]));
  return rows.map((row) => {
    const pHolm = pOf.get(row);
    if (pHolm === undefined) return row;
    return { ...row, pHolm, regression: row.regression || (row.verdict === 'worse' && pHolm <= ALPHA) };
  });
}

function failureRate({ failures, recorded }: OutcomeRow): number {
  const failed = failures.reduce((sum, { trials }) => sum + trials.length, 0);
  return recorded === 0 ? 0 : failed / recorded;
}

function metricWords({ name, unit, direction }: MetricChoice): string {
  return `${name} (${unit}, ${direction} is better)`;
}
