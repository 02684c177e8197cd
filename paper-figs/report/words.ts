// SPDX-License-Identifier: Apache-2.0
import type { Findings, PolicyFindings } from './findings.ts';
import { html, type Markup } from './html.ts';

/** Lines that are read without being asked for. */
const MOST_OPEN = 12;
/** Of each verdict of a policy, the largest differences first. */
const MOST_LINES = 4;

/** The findings as the first thing that is read. */
export function findingsHtml(findings: Findings): Markup {
  return html`<section aria-labelledby="findings">
<h2 id="findings">Findings</h2>
${findings.lead.map((sentence, at) => html`<p${at === 0 ? html` class="lead"` : ''}>${sentence}</p>\n`)}
<div class="policies">
${findings.policies.map(policyHtml)}</div>
<h3 id="control">The null control</h3>
<p>${findings.control.join(' ')}</p>
<h3 id="not-shown">What was not shown</h3>
${notShownHtml(findings.notShown)}</section>
`;
}

/** A long list stands folded; a page that is printed shows it. */
function notShownHtml(lines: readonly string[]): Markup {
  if (lines.length === 0) return html`<p>Every comparison has a verdict.</p>\n`;
  const list = html`<ul>
${lines.map((words) => html`<li>${words}.</li>\n`)}</ul>`;
  return lines.length <= MOST_OPEN
    ? list
    : html`<details><summary>${lines.length} comparisons without a difference that was shown</summary>
${list}</details>`;
}

function policyHtml(findings: PolicyFindings): Markup {
  const parts = [
    listOf('better', findings.better),
    listOf('worse', findings.worse),
    listOf('equivalent', findings.equivalent),
    listOf('undecided', findings.undecided),
    listOf('fails', findings.fails),
    listOf('too few blocks', findings.tooFew),
    listOf('no verdict', findings.without),
  ];
  return html`<article>
<h3>${findings.policy}</h3>
<dl>
${parts}</dl>
<p class="trials${findings.failureRate > 0 ? ' lost' : ''}">Failures: ${findings.trials}.</p>
</article>
`;
}

function listOf(title: string, lines: readonly string[]): Markup {
  if (lines.length === 0) return html``;
  const [seen, folded] =
    lines.length <= MOST_LINES + 1 ? [lines, []] : [lines.slice(0, MOST_LINES), lines.slice(MOST_LINES)];
  const more =
    folded.length === 0
      ? ''
      : html`<dd><details><summary>${folded.length} more</summary>
<ul class="folded">${folded.map((line) => html`<li>${line}</li>\n`)}</ul></details></dd>
`;
  return html`<dt class="verdict ${title.replaceAll(' ', '-')}">${title} on ${lines.length}</dt>
${seen.map((line) => html`<dd>${line}</dd>\n`)}${more}`;
}
