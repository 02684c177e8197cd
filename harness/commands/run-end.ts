// SPDX-License-Identifier: Apache-2.0
import { join, relative } from 'node:path';
import type { ExitCode } from '../core/errors.ts';
import type { PlannedTrial, TrialState } from '../core/trial.ts';
import type { RunEnd } from '../run/controller.ts';
import { countsOf, exitCodeOf, failOnLine, troubleLine } from '../run/exit-code.ts';
import { formatDuration } from '../run/time-left.ts';
import { stableJson, writeAtomic } from '../store/atomic-write.ts';
import { type OpenRun, RUN_FILES } from '../store/run-folder.ts';
import { writeTrialsCsv } from '../store/trials-csv.ts';
import type { CommandContext } from './context.ts';

/** A run whose trials have ended, one way or another. */
export interface EndedRun {
  readonly run: OpenRun;
  readonly end: RunEnd;
  /** Blocks that were enough; all when the run was not ended by that. */
  readonly enough: number;
  readonly plan: { readonly trials: readonly PlannedTrial[] };
  /** When its trials began, as `performance.now()` had it. */
  readonly began: number;
  /** The command that goes on with it. */
  readonly goOnWith: string;
  /** Whether to make its table and figure. */
  readonly report: boolean;
  /** Ends of trials that make the run fail, beside those that always do. */
  readonly failOn?: readonly TrialState[] | undefined;
}

/** Writes what follows from the records, prints it, and says how the run ended. */
export async function endRun(ended: EndedRun, context: CommandContext): Promise<ExitCode> {
  const { run, end, enough, plan } = ended;
  const { spec } = run;
  const { records } = run.log;
  if (end === 'enough') {
    await writeAtomic(join(run.folder, RUN_FILES.stop), stableJson({ blocks: enough }));
    context.write(`stopped after ${enough} of ${spec.seeds.count} blocks: every interval is narrow enough`);
  }
  const planned = plan.trials.filter(({ block }) => block < enough);
  await writeTrialsCsv(join(run.folder, RUN_FILES.csv), records);
  const took = formatDuration((performance.now() - ended.began) / 1000);
  const counts = records.length === 0 ? '' : `: ${countsOf(records)}`;
  context.write(`${records.length} of ${planned.length} trials recorded after ${took}${counts}`);
  let files: readonly string[] = [RUN_FILES.csv, RUN_FILES.log];
  if (end === 'interrupted') {
    context.warn(`pmvx: stopped; go on with: ${ended.goOnWith}`);
  } else if (ended.report) {
    // Tables and figures take a while to load, and a run that is stopped needs none.
    const { reportRun } = await import('./run-table.ts');
    const input = { run: run.provenance.run, spec, planned, records };
    files = [...files, ...(await reportRun(input, run.folder, context))];
  }
  const trouble = troubleLine(end, records);
  if (trouble !== undefined) context.warn(`pmvx: ${trouble}`);
  const failed = end === 'interrupted' ? undefined : failOnLine(records, ended.failOn);
  if (failed !== undefined) context.warn(`pmvx: ${failed}`);
  context.write(`results in ${relative(process.cwd(), run.folder) || '.'}: ${files.join(', ')}`);
  return exitCodeOf(end, records, ended.failOn) as ExitCode;
}
