// SPDX-License-Identifier: Apache-2.0
import { objectiveRows } from '../../analysis/objectives/objective-rows.ts';
import { outcomeTable } from '../../analysis/tables/outcome-table.ts';
import type { OutcomeTable } from '../../analysis/tables/outcome-types.ts';
import { requireMetric } from '../../analysis/tables/pick-metric.ts';
import { poolRuns } from '../../analysis/tables/pool-runs.ts';
import { groupTrials } from '../../analysis/tables/table-groups.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { TrialRecord, TrialState } from '../core/trial.ts';
import { failOnLine } from '../run/exit-code.ts';
import { makeFolder } from '../store/atomic-write.ts';
import type { CommandContext } from './context.ts';
import { type ReadRun, readPooled } from './read-pooled.ts';
import { writeReport } from './run-report.ts';
import { terminalWidth } from './run-watcher.ts';

export interface AnalyzeArgs {
  /** Ids of runs in `results/runs`, or folders of some; several are taken together. */
  readonly runs: readonly string[];
  /** At most one of these; aligned text when none. */
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly markdown?: boolean;
  /** A metric by name instead of each workload's primary one. */
  readonly metric?: string;
  /** Differences up to so many per cent are equivalent. */
  readonly margin?: number;
  /** Takes runs of different engines, images or machines together. */
  readonly mixed?: boolean;
  /** Folder for the files; of one run its own when absent. */
  readonly out?: string;
  /** Ends of trials with which the exit code is 5. */
  readonly failOn?: readonly TrialState[];
}

/**
 * `pmvx analyze RUN...`: prints the table of runs, also of one in progress, then writes table and figure beside
 * the records, or into a folder of their own.
 */
export async function analyzeCommand(args: AnalyzeArgs, context: CommandContext): Promise<ExitCode> {
  const form = chosenForm(args);
  const runs: ReadRun[] = [];
  for (const name of args.runs) runs.push(await readPooled(name, context));
  const pooled = poolRuns(runs, { mixed: args.mixed === true });
  const input = { ...pooled, grouped: groupTrials(pooled) };
  if (args.metric !== undefined) requireMetric(input.records, args.metric);
  const table = outcomeTable({
    ...input,
    ...(args.metric === undefined ? {} : { metric: args.metric }),
    ...(args.margin === undefined ? {} : { margin: 1 + args.margin / 100 }),
  });
  for (const line of await tableLines(table, form, context)) context.write(line);
  const folder = args.out ?? (runs.length === 1 ? runs[0]?.folder : undefined);
  if (folder === undefined) {
    context.warn('pmvx: nothing was written: give --out DIR for the table and figure of several runs');
    return endOf(input.records, args, context);
  }
  await makeFolder(folder);
  const files = await writeReport(table, folder, {
    metric: args.metric,
    objectives: args.metric === undefined ? objectiveRows(input) : [],
  });
  // Not on stdout: the other forms are read by programs.
  context.warn(`pmvx: wrote ${files.join(', ')} in ${folder}`);
  return endOf(input.records, args, context);
}

/** Exit code 5 where a trial ended as `--fail-on` names; without it a table is a table. */
function endOf(
  records: readonly Pick<TrialRecord, 'state'>[],
  { failOn }: AnalyzeArgs,
  context: CommandContext,
): ExitCode {
  const words = failOnLine(records, failOn);
  if (words === undefined) return ExitCode.ok;
  context.warn(`pmvx: ${words}`);
  return ExitCode.incomplete;
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
    return formatTextTable(table, {
      colour: context.isTTY && (context.env.NO_COLOR ?? '') === '',
      width: terminalWidth(context),
    });
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
