// SPDX-License-Identifier: Apache-2.0
import { COMPARE_COLUMNS, compareRows } from '../../analysis/compare/compare-rows.ts';
import { type ComparedRow, type Comparison, compareRuns } from '../../analysis/compare/compare-runs.ts';
import { formatP, formatRatio, formatValue, MISSING, printable } from '../../analysis/tables/cells.ts';
import { requireMetric } from '../../analysis/tables/pick-metric.ts';
import { formatCsv } from '../core/csv.ts';
import { ExitCode } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { type ReadRun, readPooled } from './read-pooled.ts';
import { alignedTable } from './table.ts';

export interface CompareArgs {
  /** Ids or folders: what was, and what is. */
  readonly before: string;
  readonly after: string;
  readonly metric?: string;
  /** Differences up to so many per cent are equivalent. */
  readonly margin?: number;
  /** Also runs of different engines. */
  readonly mixed?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** `pmvx compare A B`: what B makes of each cell against A. Exit code 6 when something became worse. */
export async function compareCommand(args: CompareArgs, context: CommandContext): Promise<ExitCode> {
  const a = await readPooled(args.before, context);
  const b = await readPooled(args.after, context);
  if (args.metric !== undefined) requireMetric([...a.records, ...b.records], args.metric);
  const comparison = compareRuns(a, b, {
    ...(args.metric === undefined ? {} : { metric: args.metric }),
    ...(args.margin === undefined ? {} : { margin: 1 + args.margin / 100 }),
    mixed: args.mixed === true,
  });
  for (const line of lines(args, comparison, a, b)) context.write(line);
  return comparison.regressions > 0 ? ExitCode.regression : ExitCode.ok;
}

function lines(args: CompareArgs, comparison: Comparison, a: ReadRun, b: ReadRun): readonly string[] {
  const rows = compareRows(comparison);
  if (args.json === true) {
    const { alone, regressions } = comparison;
    return [JSON.stringify({ v: 1, a: a.run, b: b.run, regressions, alone, rows }, null, 2)];
  }
  if (args.csv === true) {
    return [
      formatCsv(
        COMPARE_COLUMNS,
        rows.map((row) => COMPARE_COLUMNS.map((column) => row[column])),
      ).trimEnd(),
    ];
  }
  const { regressions, alone } = comparison;
  return [
    `A: ${a.run}, ${setting(a)}`,
    `B: ${b.run}, ${setting(b)}`,
    ...groupedTable(comparison.rows),
    '',
    '* ratio: geometric mean of B / A, in blocks of the same seed where the runs share any, else of two samples (Welch)',
    '* verdict: as in analyze; p: the one that it rests on, corrected over all compared cells',
    '* regression: worse, or B surely fails more often (exact test, corrected, p up to 0.05), or nothing completed in B where something did in A',
    ...alone.map((words) => `* not compared: ${printable(words)}`),
    regressions === 0 ? 'no regression' : `${regressions} regression${regressions === 1 ? '' : 's'}`,
  ];
}

function setting({ image, spec: { machine }, host }: ReadRun): string {
  const { kernel = 'unknown kernel', cpuModel = 'unknown processor' } = JSON.parse(host) as {
    readonly kernel?: string;
    readonly cpuModel?: string;
  };
  const where = machine.engine === 'exact' || machine.engine === 'mock' ? '' : `, ${cpuModel}, ${kernel}`;
  return `${machine.engine}, image ${image}, ${machine.vcpus} vCPUs${where}`;
}

/** One table whose columns are aligned throughout, with a title over the policies of each workload. */
function groupedTable(rows: readonly ComparedRow[]): string[] {
  const [heading = '', ...body] = alignedTable(rows.map(textRow));
  return rows.flatMap((row, at) => {
    const line = `  ${body[at]}`;
    const title = titleOf(row);
    const before = rows[at - 1];
    return before !== undefined && titleOf(before) === title ? [line] : ['', title, `  ${heading}`, line];
  });
}

function titleOf({ workload, variant, point, metric }: ComparedRow): string {
  const own = variant === 'default' ? '' : ` ${variant}`;
  const at = point === 'quiescent' ? '' : ` at ${point}`;
  const words =
    metric === undefined
      ? 'no metric was measured'
      : `${metric.name} (${metric.unit}, ${metric.direction} is better)`;
  return printable(`${workload}${own}${at}: ${words}`);
}

function textRow(row: ComparedRow): Record<string, string> {
  const { ratio } = row;
  const value = (middle: number | undefined) => (middle === undefined ? MISSING : formatValue(middle));
  return {
    policy: row.policy,
    A: value(row.medianA),
    B: value(row.medianB),
    ratio: ratio.kind === 'none' ? MISSING : formatRatio(ratio.ratio),
    '95 % interval':
      ratio.kind === 'interval' ? `${formatRatio(ratio.low)} to ${formatRatio(ratio.high)}` : MISSING,
    verdict: row.regression ? `${row.verdict ?? 'nothing left'} (regression)` : (row.verdict ?? MISSING),
    p: row.p === undefined ? MISSING : formatP(row.p),
    n: String(ratio.pairs),
    failed: `${Math.round(100 * row.failureRateA)} % to ${Math.round(100 * row.failureRateB)} %`,
  };
}
