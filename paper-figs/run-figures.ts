// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { distributionRows } from '../analysis/tables/distribution-rows.ts';
import { outcomeTable } from '../analysis/tables/outcome-table.ts';
import { scalingRows } from '../analysis/tables/scaling-rows.ts';
import { type FlatRow, tableRows } from '../analysis/tables/table-rows.ts';
import { timelineRows } from '../analysis/tables/timeline-rows.ts';
import type { StoredRun } from '../harness/store/run-folder.ts';
import { latencyEcdf } from './figures/ecdf.ts';
import { forestPages, forestPlot } from './figures/forest.ts';
import { heatmap } from './figures/heatmap.ts';
import { scalingCurves } from './figures/scaling.ts';
import type { FigureInput } from './figures/style.ts';
import { trialTimeline } from './figures/timeline.ts';

export const FIGURE_IDS = ['forest', 'heatmap', 'ecdf', 'scaling', 'timeline'] as const;
export type FigureId = (typeof FIGURE_IDS)[number];

/** A figure of a run under the name of its files, or why there is none. */
export type RunFigure =
  | { readonly id: FigureId; readonly name: string; readonly spec: TopLevelSpec }
  | { readonly id: FigureId; readonly why: string };

export interface RunFigureInput {
  readonly run: Pick<StoredRun, 'spec' | 'plan' | 'provenance' | 'records'>;
  /** Runs that differ from it in vCPUs, for scaling alone. */
  readonly others?: readonly Pick<StoredRun, 'spec' | 'records'>[];
  /** Instead of each workload's primary metric. */
  readonly metric?: string;
}

/** What every figure of a run is drawn from. */
interface Material extends RunFigureInput {
  readonly rows: readonly FlatRow[];
  readonly given: FigureInput;
}

/** The figures of a run, in order, each drawn or with the reason why it was not. Pure: equal records give equal specs. */
export function runFigures(input: RunFigureInput, ids: readonly FigureId[] = FIGURE_IDS): RunFigure[] {
  const { spec, plan, records, provenance } = input.run;
  const { run } = provenance;
  const metric = input.metric === undefined ? {} : { metric: input.metric };
  const rows = tableRows(outcomeTable({ run, spec, planned: plan.trials, records, ...metric }));
  const given = { run, baseline: spec.baseline, policies: spec.policies };
  return ids.flatMap((id) => MAKERS[id]({ ...input, rows, given }));
}

const MAKERS: Readonly<Record<FigureId, (material: Material) => RunFigure[]>> = {
  forest: ({ rows, given }) => {
    if (rows.every(({ role }) => role === 'baseline')) return [{ id: 'forest', why: alone(given) }];
    const pages = forestPages(rows);
    return pages.map((page, at) => {
      const name = pages.length === 1 ? 'forest' : `forest-${at + 1}`;
      const run = pages.length === 1 ? given.run : `${given.run} (${at + 1} of ${pages.length})`;
      return { id: 'forest', name, spec: forestPlot(page, { ...given, run }) };
    });
  },
  heatmap: ({ rows, given }) => [one('heatmap', heatmap(rows, given), alone(given))],
  ecdf: ({ run, given }) => {
    const told = latencyEcdf(distributionRows(run.records), given);
    return [one('ecdf', told, 'no completed trial told the distribution of a metric')];
  },
  scaling: ({ run, others = [], given }) => {
    const curves = scalingCurves(scalingRows([run, ...others]), given);
    const why =
      'the run varies no single number of a workload, or only one step of it completed; ' +
      'runs that differ in vCPUs can be named beside it';
    return [one('scaling', curves, why)];
  },
  timeline: ({ run, given }) => {
    return [one('timeline', trialTimeline(timelineRows(run.records), given), 'no trial is recorded')];
  },
};

function one(id: FigureId, spec: TopLevelSpec | undefined, why: string): RunFigure {
  return spec === undefined ? { id, why } : { id, name: id, spec };
}

function alone({ baseline }: FigureInput): string {
  return `there is no policy besides ${baseline}`;
}
