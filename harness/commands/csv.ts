// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { wideTrials } from '../../analysis/tables/wide-trials.ts';
import { type CsvCell, csvLines, formatCsv } from '../core/csv.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import { TRIAL_COLUMNS, trialRows } from '../store/trials-csv.ts';
import type { CommandContext } from './context.ts';
import { readPooled } from './read-pooled.ts';

export interface CsvArgs {
  readonly run: string;
  /** A row a trial instead of a row a metric. */
  readonly wide?: boolean;
  /** Only these columns, in this order, with commas. */
  readonly columns?: string;
  /** File to write instead of stdout. */
  readonly out?: string;
}

interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly CsvCell[])[];
}

/** Rows that are turned into text at a time. */
const PIECE = 5000;

/** `pmvx csv RUN`: every trial of a run, also of one in progress, for R, pandas or a spreadsheet. */
export async function csvCommand(args: CsvArgs, context: CommandContext): Promise<ExitCode> {
  const { records } = await readPooled(args.run, context);
  const all = args.wide === true ? wideTrials(records) : longTable(records);
  const table = args.columns === undefined ? all : chosen(all, args.columns.split(','));
  if (args.out !== undefined) {
    await writeAtomic(resolve(args.out), formatCsv(table.header, table.rows));
    return ExitCode.ok;
  }
  context.write(formatCsv(table.header, []).trimEnd());
  for (let at = 0; at < table.rows.length; at += PIECE) {
    context.write(csvLines(table.rows.slice(at, at + PIECE)).trimEnd());
  }
  return ExitCode.ok;
}

function longTable(records: Parameters<typeof trialRows>[0]): Table {
  const rows = trialRows(records).map((row) => TRIAL_COLUMNS.map((column) => row[column]));
  return { header: TRIAL_COLUMNS, rows };
}

function chosen({ header, rows }: Table, columns: readonly string[]): Table {
  const places = columns.map((column) => {
    const place = header.indexOf(column);
    if (place !== -1) return place;
    throw new PmvxError(ExitCode.usage, {
      where: '--columns',
      what: `there is no column "${column}"`,
      next: didYouMean(column, header),
    });
  });
  return { header: columns, rows: rows.map((row) => places.map((place) => row[place])) };
}
