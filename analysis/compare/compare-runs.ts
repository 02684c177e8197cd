// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import type { EngineName, TrialRecord } from '../../harness/core/trial.ts';
import { canDrift, type Evidence, pairedEvidence, unpairedEvidence } from '../stats/evidence.ts';
import { moreFailures, tarone } from '../stats/exact-test.ts';
import { ALPHA, judgeFamily, type Tested } from '../stats/judge-family.ts';
import { median } from '../stats/median.ts';
import { meanOf } from '../stats/moments.ts';
import { type Pair, type PairedRatio, pairedRatio } from '../stats/paired-ratio.ts';
import { decidingP, MARGIN, type Verdict, verdict } from '../stats/verdict.ts';
import { type UnpairedRatio, welchRatio } from '../stats/welch-ratio.ts';
import { blockHosts } from '../tables/block-hosts.ts';
import { outcomeTable } from '../tables/outcome-table.ts';
import type { OutcomeRow } from '../tables/outcome-types.ts';
import { type MetricChoice, metricValue } from '../tables/pick-metric.ts';
import type { PooledRun } from '../tables/pool-runs.ts';
import { failureRate } from '../tables/rank.ts';

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
  /** Of the tests over all compared cells; absent without an interval. */
  readonly tested?: Tested;
  /** The p that the verdict rests on. */
  readonly p?: number;
  readonly verdict?: Verdict;
  readonly failureRateA: number;
  readonly failureRateB: number;
  /** Of "B fails more often than A", one-sided, corrected over all cells that have failures enough to show it. */
  readonly pFailures: number;
  /** `worse`, or fails more often for sure, or nothing completed in B where something did in A. */
  readonly regression: boolean;
}

export interface Comparison {
  readonly rows: readonly ComparedRow[];
  /** Cells that one run alone has, in words. */
  readonly alone: readonly string[];
  readonly regressions: number;
}

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
  const [sideA, sideB] = [sideOf(a, metric), sideOf(b, metric)];
  const [rowsA, rowsB] = [sideA.rows, sideB.rows];
  const compared = [...rowsA].flatMap(([key, rowA]) => {
    const rowB = rowsB.get(key);
    return rowB === undefined
      ? []
      : [compareCell({ ...sideA, row: rowA, key }, { ...sideB, row: rowB, key })];
  });
  if (compared.length === 0) {
    throw new PmvxError(ExitCode.usage, {
      where: `${a.run}, ${b.run}`,
      what: 'the runs have no workload, point and policy in common',
      next: 'Compare runs of the same spec',
    });
  }
  const rows = judged(compared, [...sideA.controls, ...sideB.controls], margin);
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

/** A run as one side of a comparison. */
interface Side {
  readonly run: string;
  readonly engine: EngineName;
  /** Measured rows, by what must be equal to compare. */
  readonly rows: ReadonlyMap<string, OutcomeRow>;
  readonly controls: readonly Evidence[];
  readonly records: ReadonlyMap<string, readonly TrialRecord[]>;
  /** Where each block ran, in runs of several hosts. */
  readonly hosts: ReadonlyMap<number, string> | undefined;
}

function sideOf(run: PooledRun, metric: string | undefined): Side {
  const table = outcomeTable({ ...run, onlyRatios: true, ...(metric === undefined ? {} : { metric }) });
  return {
    run: run.run,
    engine: run.spec.machine.engine,
    rows: new Map(table.rows.filter(({ role }) => role !== 'aa').map((row) => [cellKey(row), row])),
    controls: table.rows.filter(({ role }) => role === 'aa').flatMap(({ evidence }) => evidence ?? []),
    records: recordsByCell(run),
    hosts: blockHosts(run.records),
  };
}

interface Cell extends Side {
  readonly row: OutcomeRow;
  readonly key: string;
}

/** A cell before the tests over all of them. */
interface Untested {
  readonly row: Omit<ComparedRow, 'tested' | 'p' | 'verdict' | 'pFailures' | 'regression'>;
  readonly a: OutcomeRow;
  readonly b: OutcomeRow;
  readonly evidence: Evidence | undefined;
  /** Something completed in A, and nothing in B. */
  readonly lost: boolean;
}

function compareCell(a: Cell, b: Cell): Untested {
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
  const [valuesA, valuesB] = [a, b].map((cell) => valuesOf(cell, metric)) as [Value[], Value[]];
  const { ratio, evidence } = ratioOf(valuesA, valuesB, canDrift(a.engine) || canDrift(b.engine));
  const [medianA, medianB] = [valuesA, valuesB].map((values) => median(values.map(({ value }) => value)));
  return {
    row: {
      ...{ workload, variant, point, policy, ratio },
      ...(metric === undefined ? {} : { metric }),
      ...(medianA === undefined ? {} : { medianA }),
      ...(medianB === undefined ? {} : { medianB }),
      ...{ failureRateA: failureRate([rowA]), failureRateB: failureRate([rowB]) },
    },
    a: rowA,
    b: rowB,
    evidence,
    lost: valuesA.length > 0 && valuesB.length === 0 && rowB.recorded > 0,
  };
}

interface Value {
  readonly seed: number;
  readonly value: number;
  readonly host: string | undefined;
}

/** Values of a cell in the order of their blocks. */
function valuesOf({ records, hosts, key }: Cell, metric: MetricChoice | undefined): Value[] {
  if (metric === undefined) return [];
  const own = (records.get(key) ?? []).toSorted((x, y) => x.block - y.block);
  return own.flatMap((record) => {
    const value = metricValue(record, metric.name);
    return value === undefined ? [] : [{ seed: record.seed, value, host: hosts?.get(record.block) }];
  });
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

/** Paired by seed where the runs share any; what one run alone has is left out then. Blocks nest in the hosts that they ran on. */
function ratioOf(
  a: readonly Value[],
  b: readonly Value[],
  drifts: boolean,
): { readonly ratio: PairedRatio | UnpairedRatio; readonly evidence: Evidence | undefined } {
  const before = new Map(a.map((value) => [value.seed, value]));
  const pairs = b.flatMap(({ seed, value, host }): Pair[] => {
    const other = before.get(seed);
    if (other === undefined) return [];
    return [{ value, baseline: other.value, host: `${other.host ?? ''} ${host ?? ''}` }];
  });
  if (pairs.length > 0) return { ratio: pairedRatio(pairs), evidence: pairedEvidence(pairs, drifts) };
  const [valuesA, valuesB] = [unitsOf(a), unitsOf(b)];
  const ratio = welchRatio(valuesB, valuesA);
  const blocks = Math.min(a.length, b.length);
  return {
    ratio: { ...ratio, pairs: blocks } as UnpairedRatio,
    evidence: unpairedEvidence(valuesB, valuesA, drifts),
  };
}

/** The values, or of several hosts the geometric mean of each. */
function unitsOf(values: readonly Value[]): number[] {
  const hosts = new Map<string | undefined, number[]>();
  for (const { host, value } of values) hosts.set(host, [...(hosts.get(host) ?? []), value]);
  if (hosts.size < 2) return values.map(({ value }) => value);
  return [...hosts.values()].map((own) => Math.exp(meanOf(own.map(Math.log))));
}

/** All compared cells are one family, for the ratios and for the failures. */
function judged(cells: readonly Untested[], controls: readonly Evidence[], margin: number): ComparedRow[] {
  const tests = judgeFamily(
    cells.map(({ evidence }) => evidence),
    { margin, controls },
  );
  const failures = tarone(
    cells.map(({ a, b }) => {
      const [failedA, failedB] = [a, b].map((row) => Math.round(failureRate([row]) * row.recorded));
      return moreFailures({
        failedA: failedA as number,
        triedA: a.recorded,
        failedB: failedB as number,
        triedB: b.recorded,
      });
    }),
    ALPHA,
  );
  return cells.map(({ row, a, b, lost }, at) => {
    const tested = tests[at];
    const pFailures = failures[at] as number;
    const word =
      b.recorded === 0
        ? undefined
        : verdict(row.ratio, tested, {
            direction: row.metric?.direction ?? 'lower',
            failureRate: row.failureRateB,
            baselineFailureRate: row.failureRateA,
            controlFailed: a.control !== undefined || b.control !== undefined,
          });
    const p = decidingP(word, tested);
    return {
      ...row,
      ...(tested === undefined ? {} : { tested }),
      ...(p === undefined ? {} : { p }),
      ...(word === undefined ? {} : { verdict: word }),
      pFailures,
      regression: lost || word === 'worse' || pFailures <= ALPHA,
    };
  });
}

function metricWords({ name, unit, direction }: MetricChoice): string {
  return `${name} (${unit}, ${direction} is better)`;
}
