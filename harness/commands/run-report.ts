// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { OBJECTIVE_COLUMNS, type ObjectiveRow } from '../../analysis/objectives/objective-rows.ts';
import { formatObjectives } from '../../analysis/objectives/objectives-markdown.ts';
import type { OutcomeTable } from '../../analysis/tables/outcome-types.ts';
import { stableJson, writeAtomic } from '../store/atomic-write.ts';

/** More rows make no figure that anyone can read, and take longer to draw than all else. */
const MOST_DRAWN = 250;

export interface ReportOptions {
  /** Chosen by name instead of each workload's primary one. */
  readonly metric?: string | undefined;
  /** Rows of several objectives; none to leave them out. */
  readonly objectives?: readonly ObjectiveRow[];
}

/**
 * Writes a run's table and, unless it has very many rows, its figure into its folder and gives the names of the files. Those of another metric
 * than the primary one carry its name. Equal records give equal bytes.
 */
export async function writeReport(
  table: OutcomeTable,
  folder: string,
  { metric, objectives = [] }: ReportOptions = {},
): Promise<string[]> {
  // Loaded here: tables and figures take a second that other commands must not pay.
  const [
    { frameOf },
    { formatMarkdownTable },
    { formatOverview },
    rowsModule,
    { forestPlot },
    { renderFigure },
  ] = await Promise.all([
    import('../../analysis/frame.ts'),
    import('../../analysis/tables/markdown-table.ts'),
    import('../../analysis/tables/overview.ts'),
    import('../../analysis/tables/table-rows.ts'),
    import('../../paper-figs/figures/forest.ts'),
    import('../../paper-figs/render.ts'),
  ]);
  const rows = rowsModule.tableRows(table);
  // A record may come from anywhere: its metric's name must not lead out of the folder.
  const suffix = metric === undefined ? '' : `-${metric.replace(/[^A-Za-z0-9_-]/g, '_')}`;
  const formatted = formatObjectives(objectives);
  const files: (readonly [name: string, data: string | Uint8Array])[] = [
    [`table${suffix}.csv`, (await frameOf(rows, rowsModule.TABLE_COLUMNS)).toCsv()],
    [
      `table${suffix}.md`,
      [await formatOverview(table), formatMarkdownTable(table), formatted].filter(Boolean).join('\n'),
    ],
  ];
  if (objectives.length > 0) {
    files.push(['objectives.csv', (await frameOf(objectives, OBJECTIVE_COLUMNS)).toCsv()]);
  }
  if (rows.length <= MOST_DRAWN) {
    const spec = forestPlot(rows, table);
    const { svg, png } = await renderFigure(spec);
    files.push([`first-look${suffix}.vl.json`, stableJson(spec)]);
    files.push([`first-look${suffix}.svg`, svg], [`first-look${suffix}.png`, png]);
  }
  for (const [name, data] of files) await writeAtomic(join(folder, name), data);
  return files.map(([name]) => name);
}
