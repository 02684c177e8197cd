// SPDX-License-Identifier: Apache-2.0
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { requireMetric } from '../../analysis/tables/pick-metric.ts';
import { drawPdf } from '../../paper-figs/pdf.ts';
import { drawPng, drawSvg } from '../../paper-figs/render.ts';
import { FIGURE_IDS, type FigureId, type RunFigure, runFigures } from '../../paper-figs/run-figures.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { makeFolder, stableJson, writeAtomic } from '../store/atomic-write.ts';
import { readRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { findRun } from './find-run.ts';
import { runsFolder } from './run-place.ts';

export interface FiguresArgs {
  /** Id of a run in `results/runs`, or the folder of one. */
  readonly run: string;
  /** Runs that differ from it in vCPUs, for the scaling curve. */
  readonly others?: readonly string[];
  /** Ids with commas; all when absent. */
  readonly only?: string;
  /** A metric by name instead of each workload's primary one, in forest plot and heatmap. */
  readonly metric?: string;
  /** Folder of the figures; `figures` in the run's folder when absent. */
  readonly out?: string;
}

/** `pmvx figures RUN`: draws the figures of a run as Vega-Lite spec, SVG, PNG and PDF; says why when there is none. */
export async function figuresCommand(args: FiguresArgs, context: CommandContext): Promise<ExitCode> {
  const ids = args.only === undefined ? FIGURE_IDS : parseFigureIds(args.only);
  const runs = runsFolder(context.root);
  const folder = await findRun(args.run, runs);
  const run = await readRun(folder);
  const others = await Promise.all(
    (args.others ?? []).map(async (name) => readRun(await findRun(name, runs))),
  );
  for (const notice of run.notices) context.warn(`pmvx: ${notice}`);
  if (args.metric !== undefined) requireMetric(run.records, args.metric);
  const figures = runFigures(
    { run, others, ...(args.metric === undefined ? {} : { metric: args.metric }) },
    ids,
  );
  const out = args.out ?? join(folder, 'figures');
  await makeFolder(out);
  for (const figure of figures) {
    if ('why' in figure) context.write(`${figure.id}: not drawn: ${figure.why}`);
    else context.write(`${figure.name}: ${(await writeFigure(figure, out)).join(', ')}`);
  }
  await removeOthers(out, ids, figures);
  context.warn(`pmvx: in ${out}`);
  return ExitCode.ok;
}

/** Names of figures from `forest,ecdf`; an unknown one is an error. */
export function parseFigureIds(text: string): FigureId[] {
  return text.split(',').map((name) => {
    const id = FIGURE_IDS.find((known) => known === name.trim());
    if (id !== undefined) return id;
    throw new PmvxError(ExitCode.usage, {
      where: '--only',
      what: `there is no figure "${name.trim()}"`,
      next: didYouMean(name.trim(), FIGURE_IDS),
    });
  });
}

/** Writes the four forms of a figure beside each other; equal specs give equal bytes. */
export async function writeFigure(
  { name, spec }: Pick<Extract<RunFigure, { spec: unknown }>, 'name' | 'spec'>,
  folder: string,
): Promise<string[]> {
  const svg = await drawSvg(spec);
  const files: readonly (readonly [string, string | Uint8Array])[] = [
    [`${name}.vl.json`, stableJson(spec)],
    [`${name}.svg`, svg],
    [`${name}.png`, await drawPng(svg)],
    [`${name}.pdf`, await drawPdf(svg, name)],
  ];
  for (const [file, data] of files) await writeAtomic(join(folder, file), data);
  return files.map(([file]) => file);
}

/** An earlier drawing of a figure that is no longer there, such as a further page, would be of other records. */
async function removeOthers(
  folder: string,
  ids: readonly FigureId[],
  figures: readonly RunFigure[],
): Promise<void> {
  const names = figures.flatMap((figure) => ('why' in figure ? [] : [figure.name]));
  for (const file of await readdir(folder)) {
    const [, name = '', id = ''] = /^(([a-z]+)(?:-\d+)?)\.(?:vl\.json|svg|png|pdf)$/.exec(file) ?? [];
    if (ids.some((own) => own === id) && !names.includes(name)) await rm(join(folder, file), { force: true });
  }
}
