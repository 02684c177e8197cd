// SPDX-License-Identifier: Apache-2.0
import type { OutcomeTable } from '../../analysis/tables/outcome-types.ts';
import { scalingRows } from '../../analysis/tables/scaling-rows.ts';
import { timelineRows } from '../../analysis/tables/timeline-rows.ts';
import { scalingCurves } from '../figures/scaling.ts';
import { type FigureInput, policyName } from '../figures/style.ts';
import { trialTimeline } from '../figures/timeline.ts';
import { chartHtml } from './charts.ts';
import { html, type Markup } from './html.ts';
import type { ReportInput } from './report-input.ts';
import { sortableTable } from './result-table.ts';

/** How the metric scales, what ran when, and what did not complete. */
export async function courseHtml(
  { table: { spec, records }, runs }: ReportInput,
  table: OutcomeTable,
  given: FigureInput,
): Promise<Markup> {
  const scaling = scalingCurves(scalingRows([{ spec, records }]), given);
  const timeline = runs.length > 1 ? undefined : trialTimeline(timelineRows(records), given);
  const failures = table.rows.flatMap((row) =>
    row.failures.map(({ state, reason, trials }) => [
      { text: policyName({ policy: row.policy, role: row.role }) },
      { text: `${row.workload} ${row.variant}`, kind: 'wide' },
      { text: state },
      { text: String(trials.length), value: trials.length },
      { text: reason, kind: 'wide' },
      { text: trials.join(', '), kind: 'wide' },
    ]),
  );
  const columns = [
    { title: 'policy' },
    { title: 'workload' },
    { title: 'ended' },
    { title: 'trials', numeric: true },
    { title: 'reason' },
    { title: 'which' },
  ];
  return html`${
    scaling === undefined
      ? ''
      : html`<section aria-labelledby="scaling"><h2 id="scaling">Scaling</h2>
${await chartHtml({ spec: scaling, alt: 'The metric over the number that the run varies, a line for each policy.' })}</section>`
  }
<section aria-labelledby="course">
<h2 id="course">${runs.length > 1 ? 'Course of the runs' : 'Course of the run'}</h2>
${
  timeline === undefined
    ? html`<p>${records.length === 0 ? 'No trial is recorded.' : 'The runs were at different times: the report of each has its timeline.'}</p>`
    : await chartHtml({
        spec: timeline,
        alt: 'When each trial ran on the host, by workload, and how it ended.',
      })
}
${
  failures.length === 0
    ? html`<p>Every recorded trial completed.</p>`
    : html`<h3>Trials that did not complete</h3>
${sortableTable(columns, failures, 'Trials that did not complete, with the words of the kernel or of the program')}`
}</section>
`;
}
