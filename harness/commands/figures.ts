// SPDX-License-Identifier: Apache-2.0
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableInput } from '../../analysis/tables/outcome-types.ts';
import { requireMetric } from '../../analysis/tables/pick-metric.ts';
import { poolRuns, requireAlike } from '../../analysis/tables/pool-runs.ts';
import { drawPdf } from '../../paper-figs/pdf.ts';
import { drawPng, drawSvg } from '../../paper-figs/render.ts';
import { FIGURE_IDS, type FigureId, type RunFigure, runFigures } from '../../paper-figs/run-figures.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { makeFolder, stableJson, writeAtomic } from '../store/atomic-write.ts';
import type { CommandContext } from './context.ts';
import { ownFolder } from './own-folder.ts';
import { type ReadRun, readPooled } from './read-pooled.ts';

export interface FiguresArgs {
  /** Ids of runs in `results/runs`, or folders of some; several are taken together. */
  readonly runs: readonly string[];
  /** Ids with commas; all when absent. */
  readonly only?: string;
  /** A metric by name instead of each workload's primary one, in forest plot and heatmap. */
  readonly metric?: string;
  /** Takes runs of different engines, images or machines together. */
  readonly mixed?: boolean;
  /** Folder of the figures; of one run `figures` in its folder when absent. */
  readonly out?: string;
}

/** `pmvx figures RUN...`: draws the figures of runs as Vega-Lite spec, SVG, PNG and PDF; says why when there is none. */
export async function figuresCommand(args: FiguresArgs, context: CommandContext): Promise<ExitCode> {
  const ids = args.only === undefined ? FIGURE_IDS : parseFigureIds(args.only);
  const runs: ReadRun[] = [];
  for (const name of args.runs) runs.push(await readPooled(name, context));
  const out = args.out ?? ownFolder(runs, 'figures');
  const figures = figuresOf(runs, ids, args);
  await makeFolder(out);
  for (const figure of figures) {
    if ('why' in figure) context.write(`${figure.id}: not drawn: ${figure.why}`);
    else context.write(`${figure.name}: ${(await writeFigure(figure, out)).join(', ')}`);
  }
  await removeOthers(out, ids, figures);
  context.warn(`pmvx: in ${out}`);
  return ExitCode.ok;
}

/** The figures of all runs together; of runs that cannot be taken together the scaling curve alone, which sets them side by side. */
function figuresOf(
  runs: readonly ReadRun[],
  ids: readonly FigureId[],
  { metric, mixed }: Pick<FiguresArgs, 'metric' | 'mixed'>,
): RunFigure[] {
  const chosen = (table: TableInput): TableInput => {
    if (metric !== undefined) requireMetric(table.records, metric);
    return metric === undefined ? table : { ...table, metric };
  };
  const beside = () => runFigures({ table: chosen(poolRuns(runs.slice(0, 1))), beside: runs }, ['scaling']);
  if (ids.every((id) => id === 'scaling')) return beside();
  const why = whyNotTogether(runs, mixed === true);
  if (why === undefined || runs.length < 2 || !ids.includes('scaling')) {
    return runFigures({ table: chosen(poolRuns(runs, { mixed: mixed === true })), count: runs.length }, ids);
  }
  return ids.flatMap((id) => (id === 'scaling' ? beside() : [{ id, why }]));
}

function whyNotTogether(runs: readonly ReadRun[], mixed: boolean): string | undefined {
  try {
    requireAlike(runs, mixed);
  } catch (error) {
    if (error instanceof PmvxError) return error.faults[0]?.what ?? error.message;
    throw error;
  }
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
