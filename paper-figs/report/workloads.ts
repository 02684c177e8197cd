// SPDX-License-Identifier: Apache-2.0
import type { DistributionRow } from '../../analysis/tables/distribution-rows.ts';
import type { FlatRow } from '../../analysis/tables/table-rows.ts';
import { latencyEcdf } from '../figures/ecdf.ts';
import { forestPanel } from '../figures/forest.ts';
import { type FigureInput, policyName, ratioWords } from '../figures/style.ts';
import { chartHtml } from './charts.ts';
import { placeName } from './findings.ts';
import { html, type Markup } from './html.ts';
import { resultTable } from './result-table.ts';

/** A part for each workload: its ratios as a chart, the same as a table, and its distributions. */
export async function workloadsHtml(
  rows: readonly FlatRow[],
  distributions: readonly DistributionRow[],
  given: FigureInput,
): Promise<Markup> {
  const groups = Map.groupBy(rows, (row) => placeKey(row));
  const parts: Markup[] = [];
  for (const own of groups.values()) {
    const told = distributions.filter((row) => own.some((other) => placeKey(other) === placeKey(row)));
    parts.push(await workloadHtml(own, rows, told, given));
  }
  return html`<section aria-labelledby="workloads">
<h2 id="workloads">Workload by workload</h2>
<p class="under">Bars are 95 % intervals of the geometric mean ratio over blocks, each block paired with ${given.baseline}; the dashed line is
${given.baseline}, the grey band what counts as equivalent. Columns sort by a click on their title.</p>
${parts}</section>
`;
}

async function workloadHtml(
  own: readonly FlatRow[],
  rows: readonly FlatRow[],
  distributions: readonly DistributionRow[],
  given: FigureInput,
): Promise<Markup> {
  const [first] = own as readonly [FlatRow];
  const name = placeName(first, rows);
  const metric =
    first.metric === undefined
      ? 'no metric was measured'
      : `${first.metric} (${first.unit}, ${first.direction} is better)`;
  const compared = own.filter(({ role }) => role !== 'baseline');
  const chart =
    compared.length === 0
      ? html``
      : await chartHtml({
          spec: forestPanel(own, given),
          alt: forestAlt(compared, name, given),
          caption: html``,
        });
  const ecdf = latencyEcdf(distributions, given);
  const told =
    ecdf === undefined
      ? html``
      : await chartHtml({
          spec: ecdf,
          alt: `Distribution functions of latencies of ${name}, a line for each policy.`,
        });
  return html`<section>
<h3>${name}: ${metric}</h3>
${first.variant === 'default' ? html`` : html`<p class="parameters">${`${first.variant}`.replaceAll(',', ', ')}</p>`}
${chart}${resultTable(own, `${name}: ${first.metric ?? 'no metric'} by policy`)}${told}</section>
`;
}

function forestAlt(compared: readonly FlatRow[], name: string, { baseline }: FigureInput): string {
  const words = compared.map((row) =>
    row.ratio === undefined
      ? `${policyName(row)} has no ratio`
      : `${policyName(row)} ${ratioWords(Number(row.ratio))}, ${row.verdict ?? 'no verdict'}`,
  );
  return `Ratio to ${baseline} on ${name}: ${words.join('; ')}.`;
}

function placeKey(row: Pick<FlatRow, 'engine' | 'workload' | 'variant' | 'point'> | DistributionRow): string {
  return JSON.stringify([row.engine, row.workload, row.variant, row.point]);
}
