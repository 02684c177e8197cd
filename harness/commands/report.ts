// SPDX-License-Identifier: Apache-2.0
import { join, relative } from 'node:path';
import { requireMetric } from '../../analysis/tables/pick-metric.ts';
import { poolRuns } from '../../analysis/tables/pool-runs.ts';
import type { ReportedRun } from '../../paper-figs/report/report-input.ts';
import { ExitCode } from '../core/errors.ts';
import { makeFolder, writeAtomic } from '../store/atomic-write.ts';
import type { CommandContext } from './context.ts';
import { ownFolder } from './own-folder.ts';
import { type ReadRun, readPooled } from './read-pooled.ts';

export interface ReportArgs {
  /** Ids of runs in `results/runs`, or folders of some; several are taken together. */
  readonly runs: readonly string[];
  /** A metric by name instead of each workload's primary one. */
  readonly metric?: string;
  /** Takes runs of different engines, images or machines together. */
  readonly mixed?: boolean;
  /** Folder of `report.html`; of one run its own when absent. */
  readonly out?: string;
}

/** `pmvx report RUN...`: runs as one page of HTML that needs no network; also of a run in progress. */
export async function reportCommand(args: ReportArgs, context: CommandContext): Promise<ExitCode> {
  const runs: ReadRun[] = [];
  for (const name of args.runs) runs.push(await readPooled(name, context));
  const out = args.out ?? ownFolder(runs, '.');
  const pooled = poolRuns(runs, { mixed: args.mixed === true });
  if (args.metric !== undefined) requireMetric(pooled.records, args.metric);
  const table = args.metric === undefined ? pooled : { ...pooled, metric: args.metric };
  const { reportHtml } = await import('../../paper-figs/report/report.ts');
  const reported = runs.map((run): ReportedRun => {
    const inside = relative(context.root, run.folder);
    // The page is for others too: a path outside the project would be of this machine alone.
    return { ...run, folder: inside.startsWith('..') ? run.run : inside };
  });
  const text = await reportHtml({ table, runs: reported as [ReportedRun, ...ReportedRun[]] });
  await makeFolder(out);
  const path = join(out, 'report.html');
  await writeAtomic(path, text);
  context.write(`${path} (${Math.round(Buffer.byteLength(text) / 1024)} KiB)`);
  return ExitCode.ok;
}
