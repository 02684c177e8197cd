// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { objectiveRows } from '../analysis/objectives/objective-rows.ts';
import { distributionRows } from '../analysis/tables/distribution-rows.ts';
import { outcomeTable } from '../analysis/tables/outcome-table.ts';
import type { TableInput } from '../analysis/tables/outcome-types.ts';
import { type ScalingRun, scalingRows } from '../analysis/tables/scaling-rows.ts';
import { type FlatRow, tableRows } from '../analysis/tables/table-rows.ts';
import { timelineRows } from '../analysis/tables/timeline-rows.ts';
import type { StoredRun } from '../harness/store/run-folder.ts';
import { ecdfPages, latencyEcdf } from './figures/ecdf.ts';
import { forestPages, forestPlot } from './figures/forest.ts';
import { heatmap } from './figures/heatmap.ts';
import { paretoPages, paretoPlot } from './figures/pareto.ts';
import { scalingCurves } from './figures/scaling.ts';
import type { FigureInput } from './figures/style.ts';
import { trialTimeline } from './figures/timeline.ts';

export const FIGURE_IDS = ['forest', 'heatmap', 'ecdf', 'scaling', 'pareto', 'timeline'] as const;
export type FigureId = (typeof FIGURE_IDS)[number];

/** A figure of a run under the name of its files, or why there is none. */
export type RunFigure =
  | { readonly id: FigureId; readonly name: string; readonly spec: TopLevelSpec }
  | { readonly id: FigureId; readonly why: string };

export interface RunFigureInput {
  /** A run, or several taken together. */
  readonly table: TableInput;
  /** Runs side by side for scaling, which differ in vCPUs; the table's own when absent. */
  readonly beside?: readonly ScalingRun[];
  /** Runs that the table is of; one when absent. */
  readonly count?: number;
}

/** What every figure is drawn from. */
interface Material extends RunFigureInput {
  readonly rows: readonly FlatRow[];
  readonly given: FigureInput;
}

/** One run as figures take it. */
export function tableOf({
  spec,
  plan,
  provenance,
  records,
}: Pick<StoredRun, 'spec' | 'plan' | 'provenance' | 'records'>): TableInput {
  return { run: provenance.run, spec, planned: plan.trials, records };
}

/** The figures of runs, in order, each drawn or with the reason why it was not. Pure: equal records give equal specs. */
export function runFigures(input: RunFigureInput, ids: readonly FigureId[] = FIGURE_IDS): RunFigure[] {
  const { run, spec } = input.table;
  const rows = tableRows(outcomeTable(input.table));
  const given = { run, baseline: spec.baseline, policies: spec.policies };
  return ids.flatMap((id) => MAKERS[id]({ ...input, rows, given }));
}

const MAKERS: Readonly<Record<FigureId, (material: Material) => RunFigure[]>> = {
  forest: ({ rows, given }) => {
    if (rows.every(({ role }) => role === 'baseline')) return [{ id: 'forest', why: alone(given) }];
    return paged('forest', forestPages(rows), given, alone(given), forestPlot);
  },
  heatmap: ({ rows, given }) => [one('heatmap', heatmap(rows, given), alone(given))],
  ecdf: ({ table, given }) => {
    const why = 'no completed trial told the distribution of a metric';
    const pages = ecdfPages(distributionRows(table.records), given);
    return paged('ecdf', pages, given, why, latencyEcdf);
  },
  pareto: ({ table: { metric: _one, ...table }, given }) => {
    const why = 'no workload has metrics of two objectives (time, tail, fairness, energy) under two policies';
    return paged('pareto', paretoPages(objectiveRows(table)), given, why, paretoPlot);
  },
  scaling: ({ table, beside = [table], given }) => {
    const curves = scalingCurves(scalingRows(beside), given);
    const why =
      'the run varies no single number of a workload, or only one step of it completed; ' +
      'runs that differ in vCPUs can be named beside it';
    return [one('scaling', curves, why)];
  },
  timeline: ({ table, count = 1, given }) => {
    if (count > 1) return [{ id: 'timeline', why: 'runs of different times have a timeline each' }];
    return [one('timeline', trialTimeline(timelineRows(table.records), given), 'no trial is recorded')];
  },
};

/** A figure for each page of rows; pages are numbered when there are several. */
function paged<Row>(
  id: FigureId,
  pages: readonly (readonly Row[])[],
  given: FigureInput,
  why: string,
  draw: (rows: readonly Row[], given: FigureInput) => TopLevelSpec | undefined,
): RunFigure[] {
  if (pages.length === 0) return [{ id, why }];
  return pages.map((page, at) => {
    const numbered = pages.length > 1;
    const run = numbered ? `${given.run} (${at + 1} of ${pages.length})` : given.run;
    const spec = draw(page, { ...given, run });
    return spec === undefined ? { id, why } : { id, name: numbered ? `${id}-${at + 1}` : id, spec };
  });
}

function one(id: FigureId, spec: TopLevelSpec | undefined, why: string): RunFigure {
  return spec === undefined ? { id, why } : { id, name: id, spec };
}

function alone({ baseline }: FigureInput): string {
  return `there is no policy besides ${baseline}`;
}
