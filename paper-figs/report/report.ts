// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { objectiveRows } from '../../analysis/objectives/objective-rows.ts';
import { distributionRows } from '../../analysis/tables/distribution-rows.ts';
import { outcomeTable } from '../../analysis/tables/outcome-table.ts';
import type { OutcomeTable } from '../../analysis/tables/outcome-types.ts';
import { tableRows } from '../../analysis/tables/table-rows.ts';
import { heatmap } from '../figures/heatmap.ts';
import { paretoPages, paretoPlot } from '../figures/pareto.ts';
import type { FigureInput } from '../figures/style.ts';
import { chartHtml } from './charts.ts';
import { courseHtml } from './course.ts';
import { findingsOf } from './findings.ts';
import { codeForScript, html, Markup } from './html.ts';
import { ENGINE_LIMITS } from './limits.ts';
import { machineWords, provenanceHtml, reproduceHtml } from './provenance.ts';
import type { ReportInput } from './report-input.ts';
import { findingsHtml } from './words.ts';
import { workloadsHtml } from './workloads.ts';

/**
 * A run, or several taken together, as one page of HTML that needs nothing else: findings in words, then charts, tables, and where the numbers come
 * from. Whatever a guest printed is escaped, and the page's policy lets no script run but its own two. Equal records
 * give equal bytes.
 */
export async function reportHtml(input: ReportInput): Promise<string> {
  const { table: given, runs } = input;
  const { run, spec, records } = given;
  const table = outcomeTable(given);
  const rows = tableRows(table);
  const names = { run, baseline: spec.baseline, policies: spec.policies };
  const { provenance } = runs[0];
  const dates = runs.map(({ provenance: { createdAt } }) => createdAt.slice(0, 16).replace('T', ' '));
  const body = html`<header>
<h1>${run}</h1>
<p class="under">${table.recorded === table.planned ? `${table.recorded}` : `${table.recorded} of ${table.planned}`} trials on ${table.engines.join(', ')}
(${machineWords(spec.machine)}), compared with ${spec.baseline}; ${dates.join(', ')} UTC</p>
${contents()}
${warningsHtml(table, input)}
</header>
<main>
${findingsHtml(findingsOf(rows, table))}
${await glanceHtml(rows, names)}
${await workloadsHtml(rows, distributionRows(records), names)}
${await tradeOffHtml(input, names)}
${await courseHtml(input, table, names)}
${limitsHtml(table)}
${provenanceHtml(runs)}
${reproduceHtml(runs)}
</main>
<footer>Made by pMVX ${provenance.pmvx.version} from the records of ${runs.length === 1 ? 'this run' : 'these runs'}. The charts are drawn by Vega (BSD-3-Clause, University of Washington
Interactive Data Lab), which is part of this page.</footer>
`;
  return page(run, body);
}

function contents(): Markup {
  const parts = [
    ['findings', 'Findings'],
    ['glance', 'At a glance'],
    ['workloads', 'Workloads'],
    ['course', 'Course of the run'],
    ['limits', 'Limits'],
    ['provenance', 'Provenance'],
    ['reproduce', 'Reproduce'],
  ];
  return html`<nav aria-label="Contents"><ul>${parts.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;
}

/** What must be known before any number is believed. */
function warningsHtml(table: OutcomeTable, { runs, table: { records } }: ReportInput): Markup {
  const lost = records.filter(({ state }) => state !== 'completed').length;
  const warnings = [
    ...(table.recorded < table.planned
      ? [
          `The run is not finished: ${table.planned - table.recorded} of ${table.planned} planned trials are not recorded.`,
        ]
      : []),
    ...(lost > 0
      ? [
          `${lost} of ${table.recorded} recorded trials did not complete: such a trial has no metric and is part of no ratio.`,
        ]
      : []),
    ...(table.engines.length > 1
      ? ['Trials ran on several engines, which are never compared with each other.']
      : []),
    ...(table.engines.includes('mock') ? ['Engine mock: all figures are made up.'] : []),
    ...(runs.some(({ provenance }) => provenance.pmvx.dirty === true)
      ? ['The program had changes that its commit does not have.']
      : []),
    ...runs.flatMap(({ notices = [] }) => notices.map((notice) => `${notice}.`)),
  ];
  if (warnings.length === 0) return html``;
  return html`<div class="warnings" role="note"><ul>${warnings.map((words) => html`<li>${words}</li>`)}</ul></div>`;
}

async function glanceHtml(rows: ReturnType<typeof tableRows>, given: FigureInput): Promise<Markup> {
  const spec = heatmap(rows, given);
  const chart =
    spec === undefined
      ? html`<p>There is no policy besides ${given.baseline}.</p>`
      : await chartHtml({
          spec,
          alt: 'Every workload by every policy: ratio, colour and verdict. The tables below have the same numbers.',
        });
  return html`<section aria-labelledby="glance">
<h2 id="glance">At a glance</h2>
${chart}</section>
`;
}

/** What a policy gains in one objective and pays in another; nothing for a run with one objective. */
async function tradeOffHtml(
  { table: { metric: _one, ...table } }: ReportInput,
  given: FigureInput,
): Promise<Markup> {
  const rows = objectiveRows(table);
  const charts: Markup[] = [];
  for (const page of paretoPages(rows)) {
    const plot = paretoPlot(page, given);
    const alt = 'Each policy\u2019s cost in time against its cost in another objective, by workload.';
    if (plot !== undefined) charts.push(await chartHtml({ spec: plot, alt }));
  }
  if (charts.length === 0) return html``;
  return html`<section aria-labelledby="trade-offs">
<h2 id="trade-offs">Trade-offs</h2>
${charts}</section>
`;
}

function limitsHtml({ engines, notes }: OutcomeTable): Markup {
  return html`<section aria-labelledby="limits">
<h2 id="limits">Limits, and how to read the numbers</h2>
${engines.map((engine) => html`<h3>What engine ${engine} is not</h3><ul>${ENGINE_LIMITS[engine].map((words) => html`<li>${words}</li>`)}</ul>`)}
<h3>How the numbers are made</h3>
<ul>${notes.filter((note) => !note.startsWith('engine ')).map((note) => html`<li>${note}</li>`)}</ul>
</section>
`;
}

async function page(title: string, body: Markup): Promise<string> {
  const vega = fileURLToPath(new URL('vega.min.js', import.meta.resolve('vega')));
  const read = async (path: string) => (await readFile(path, 'utf8')).trim();
  const [library, own, style] = await Promise.all([
    read(vega),
    read(join(import.meta.dirname, 'page.js')),
    read(join(import.meta.dirname, 'style.css')),
  ]);
  const scripts = [library.replace(/\n?\/\/# sourceMappingURL=\S+$/, ''), own].map(codeForScript);
  const hashes = scripts.map((code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`);
  // Vega compiles its expressions, which needs unsafe-eval; nothing is ever loaded.
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${hashes.join(' ')} 'unsafe-eval'; base-uri 'none'; form-action 'none'`;
  const head = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} \u00b7 pMVX report</title>
<link rel="icon" href="data:,">
<style>
${new Markup(style)}
</style>
</head>
<body>
${body}<noscript><p>Charts need scripts. The tables have the same numbers, and <code>pmvx figures</code> draws them as files.</p></noscript>
`;
  return `${head.text}${scripts.map((code) => `<script>${code}</script>\n`).join('')}</body>\n</html>\n`;
}
