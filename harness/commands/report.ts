// SPDX-License-Identifier: Apache-2.0
import { join, relative } from 'node:path';
import { requireMetric } from '../../analysis/tables/pick-metric.ts';
import { ExitCode } from '../core/errors.ts';
import { makeFolder, writeAtomic } from '../store/atomic-write.ts';
import { readRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { findRun } from './find-run.ts';
import { runsFolder } from './run-place.ts';

export interface ReportArgs {
  /** Id of a run in `results/runs`, or the folder of one. */
  readonly run: string;
  /** A metric by name instead of each workload's primary one. */
  readonly metric?: string;
  /** Folder of `report.html`; the run's own when absent. */
  readonly out?: string;
}

/** `pmvx report RUN`: a run as one page of HTML that needs no network; also of a run in progress. */
export async function reportCommand(args: ReportArgs, context: CommandContext): Promise<ExitCode> {
  const folder = await findRun(args.run, runsFolder(context.root));
  const run = await readRun(folder);
  for (const notice of run.notices) context.warn(`pmvx: ${notice}`);
  if (args.metric !== undefined) requireMetric(run.records, args.metric);
  const { reportHtml } = await import('../../paper-figs/report/report.ts');
  const inside = relative(context.root, folder);
  const text = await reportHtml({
    ...run,
    // The page is for others too: a path outside the project would be of this machine alone.
    folder: inside.startsWith('..') ? run.provenance.run : inside,
    ...(args.metric === undefined ? {} : { metric: args.metric }),
  });
  const out = args.out ?? folder;
  await makeFolder(out);
  const path = join(out, 'report.html');
  await writeAtomic(path, text);
  context.write(`${path} (${Math.round(Buffer.byteLength(text) / 1024)} KiB)`);
  return ExitCode.ok;
}
