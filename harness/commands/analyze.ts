// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type OutcomeTable, outcomeTable } from '../../analysis/tables/outcome-table.ts';
import { requireMetric } from '../../analysis/tables/pick-metric.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { readRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { findRun } from './find-run.ts';
import { writeReport } from './run-report.ts';

export interface AnalyzeArgs {
  /** Id of a run in `results/runs`, or the folder of one. */
  readonly run: string;
  /** At most one of these; aligned text when none. */
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly markdown?: boolean;
  /** A metric by name instead of each workload's primary one. */
  readonly metric?: string;
}

/**
 * `pmvx analyze RUN`: prints the table of a run, also of one in progress, then writes table and figure beside
 * the records.
 */
export async function analyzeCommand(args: AnalyzeArgs, context: CommandContext): Promise<ExitCode> {
  const form = chosenForm(args);
  const folder = await findRun(args.run, join(context.root, 'results', 'runs'));
  const run = await readRun(folder);
  for (const notice of run.notices) context.warn(`pmvx: ${notice}`);
  if (args.metric !== undefined) requireMetric(run.records, args.metric);
  const table = outcomeTable({
    run: run.provenance.run,
    spec: run.spec,
    planned: run.plan.trials,
    records: run.records,
    ...(args.metric === undefined ? {} : { metric: args.metric }),
  });
  for (const line of await tableLines(table, form, context)) context.write(line);
  const files = await writeReport(table, folder, args.metric);
  // Not on stdout: the other forms are read by programs.
  context.warn(`pmvx: wrote ${files.join(', ')} in ${folder}`);
  return ExitCode.ok;
}

type Form = 'text' | 'json' | 'csv' | 'markdown';

function chosenForm(args: AnalyzeArgs): Form {
  const chosen = (['json', 'csv', 'markdown'] as const).filter((form) => args[form] === true);
  const [first = 'text', second] = chosen;
  if (second === undefined) return first;
  throw new PmvxError(ExitCode.usage, {
    what: `--${first} and --${second} exclude each other`,
    next: 'Give one of them',
  });
}

async function tableLines(
  table: OutcomeTable,
  form: Form,
  context: CommandContext,
): Promise<readonly string[]> {
  if (form === 'text') {
    const { formatTextTable } = await import('../../analysis/tables/text-table.ts');
    return formatTextTable(table, { colour: context.isTTY && (context.env.NO_COLOR ?? '') === '' });
  }
  if (form === 'markdown') {
    const { formatMarkdownTable } = await import('../../analysis/tables/markdown-table.ts');
    return [formatMarkdownTable(table).trimEnd()];
  }
  const { TABLE_COLUMNS, tableRows } = await import('../../analysis/tables/table-rows.ts');
  if (form === 'json') return [JSON.stringify({ v: 1, ...table, rows: tableRows(table) }, null, 2)];
  const { formatCsv } = await import('../core/csv.ts');
  const cells = tableRows(table).map((row) => TABLE_COLUMNS.map((column) => row[column]));
  return [formatCsv(TABLE_COLUMNS, cells).trimEnd()];
}
