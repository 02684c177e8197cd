// SPDX-License-Identifier: Apache-2.0
import { join, relative } from 'node:path';
import { ExitCode } from '../core/errors.ts';
import type { PlannedTrial, TrialState } from '../core/trial.ts';
import type { RunEnd } from '../run/controller.ts';
import { countsOf, exitCodeOf, failOnLine, troubleLine } from '../run/exit-code.ts';
import { type MergeEnd, mergeRuns } from '../scale/merge/merge-runs.ts';
import { RUN_FILES } from '../store/run-folder.ts';
import type { Command, CommandContext } from './context.ts';
import { findRun } from './find-run.ts';
import { type ReadRun, readPooled } from './read-pooled.ts';

export interface MergeArgs {
  /** Ends of trials that make the run fail, beside those that always do. */
  readonly failOn?: readonly TrialState[];
  /** Ids of runs in `results/runs`, or folders of some. */
  readonly runs: readonly string[];
  /** Folder of the run that they become. */
  readonly out: string;
  /** Also runs of labs that differ. */
  readonly mixed?: boolean;
  /** False: no table and no figure. */
  readonly report?: boolean;
}

/** `pmvx merge RUN... --out DIR`: several runs of one spec as one, then its table. */
export const mergeCommand: Command<MergeArgs> = async (args, context) => {
  const folders: string[] = [];
  for (const name of args.runs) folders.push(await findRun(name, join(context.root, 'results', 'runs')));
  const { narrowEnough } = await import('../../analysis/stopping/narrow-enough.ts');
  const merged = await mergeRuns(folders, args.out, { mixed: args.mixed === true, enough: narrowEnough });
  for (const notice of merged.notices) context.warn(`pmvx: ${notice}`);
  const run = await readPooled(args.out, context);
  return tell(merged, run, args, context);
};

async function tell(
  merged: MergeEnd,
  run: ReadRun,
  args: MergeArgs,
  context: CommandContext,
): Promise<ExitCode> {
  const { records, spec, planned, folder } = run;
  const { enough, missing } = merged;
  if (enough !== undefined)
    context.write(`enough after ${enough} of ${spec.seeds.count} blocks: every interval is narrow enough`);
  const counts = records.length === 0 ? '' : `: ${countsOf(records)}`;
  context.write(`${merged.recorded} of ${merged.planned} trials recorded${counts}`);
  let files: readonly string[] = [RUN_FILES.csv, RUN_FILES.log];
  if (args.report !== false && records.length > 0) {
    const { reportRun } = await import('./run-table.ts');
    files = [...files, ...(await reportRun({ run: run.run, spec, planned, records }, folder, context))];
  }
  const end: RunEnd = enough === undefined ? 'complete' : 'enough';
  const trouble = missing.length > 0 ? missingWords(missing) : troubleLine(end, records);
  if (trouble !== undefined) context.warn(`pmvx: ${trouble}`);
  const failed = failOnLine(records, args.failOn);
  if (failed !== undefined) context.warn(`pmvx: ${failed}`);
  context.write(`results in ${relative(process.cwd(), folder) || '.'}: ${files.join(', ')}`);
  return missing.length > 0 ? ExitCode.incomplete : (exitCodeOf(end, records, args.failOn) as ExitCode);
}

const BLOCKS_SHOWN = 12;

function missingWords(missing: readonly PlannedTrial[]): string {
  const blocks = [...new Set(missing.map(({ block }) => block))];
  const shown = blocks.slice(0, BLOCKS_SHOWN).join(', ');
  const more = blocks.length > BLOCKS_SHOWN ? ` and ${blocks.length - BLOCKS_SHOWN} more` : '';
  const trials = missing.length === 1 ? '1 trial is' : `${missing.length} trials are`;
  return `${trials} in none of the runs, of block${blocks.length === 1 ? '' : 's'} ${shown}${more}: merge them later into the same --out`;
}
