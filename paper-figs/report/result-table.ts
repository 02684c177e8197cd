// SPDX-License-Identifier: Apache-2.0
import { formatValue } from '../../analysis/tables/cells.ts';
import type { FlatRow } from '../../analysis/tables/table-rows.ts';
import { lostTrials, policyName, ratioWords } from '../figures/style.ts';
import { html, Markup } from './html.ts';

interface Cell {
  readonly text: string;
  /** What the column is sorted by, where that is not the text. */
  readonly value?: number | undefined;
  readonly kind?: string;
}

export interface TableColumn {
  readonly title: string;
  /** In full, where the title is short. */
  readonly about?: string;
  readonly numeric?: boolean;
}

const MISSING = '\u2013';
const COLUMNS: readonly TableColumn[] = [
  { title: 'policy' },
  { title: 'median', numeric: true },
  { title: 'ratio', numeric: true },
  { title: '95 % interval', numeric: true },
  { title: 'verdict' },
  {
    title: 'p (Holm)',
    about: 'p that the verdict rests on, corrected over all comparisons of the run',
    numeric: true,
  },
  { title: 'Cliff\u2019s d', about: 'Cliff\u2019s delta', numeric: true },
  { title: 'n', about: 'pairs of blocks', numeric: true },
  { title: 'failed', about: 'share of recorded trials that did not complete', numeric: true },
];

/** All policies of one workload. */
export function resultTable(rows: readonly FlatRow[], caption: string): Markup {
  return sortableTable(
    COLUMNS,
    rows.map((row) => [
      { text: policyName(row) },
      numberCell(row.median, formatValue),
      row.role === 'baseline' ? { text: '1', value: 1 } : numberCell(row.ratio, ratioWords),
      intervalCell(row),
      {
        text: row.role === 'baseline' ? 'baseline' : `${row.verdict ?? MISSING}`,
        kind: `${row.verdict ?? ''}`.replaceAll(' ', '-'),
      },
      numberCell(decidingOf(row), probability),
      numberCell(row.cliffs_delta, (value) => value.toFixed(2).replace('-', '\u2212')),
      numberCell(row.n, String),
      failureCell(row),
    ]),
    caption,
  );
}

/** A table whose columns can be sorted by a click or a key; it scrolls in its own box when it is wider than the page. */
export function sortableTable(
  columns: readonly TableColumn[],
  lines: readonly (readonly Cell[])[],
  caption: string,
): Markup {
  const head = columns.map(
    ({ title, about, numeric }) =>
      html`<th scope="col"${numeric === true ? new Markup(' class="number"') : ''}${about === undefined ? '' : html` title="${about}"`}><button type="button">${title}</button></th>`,
  );
  const body = lines.map((line) => {
    const cells = line.map((cell, at) => {
      const numeric = columns[at]?.numeric === true ? 'number' : '';
      const verdict = cell.kind === undefined || cell.kind === '' ? '' : `verdict ${cell.kind}`;
      const kinds = [numeric, verdict].filter((kind) => kind !== '').join(' ');
      const attributes = html`${kinds === '' ? '' : html` class="${kinds}"`}${cell.value === undefined ? '' : html` data-value="${cell.value}"`}`;
      return at === 0
        ? html`<th scope="row"${attributes}>${cell.text}</th>`
        : html`<td${attributes}>${cell.text}</td>`;
    });
    return html`<tr>${cells}</tr>\n`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table class="sortable"><caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

function numberCell(value: string | number | undefined, format: (value: number) => string): Cell {
  return typeof value === 'number' ? { text: format(value), value } : { text: MISSING };
}

function intervalCell({ low, high }: FlatRow): Cell {
  if (typeof low !== 'number' || typeof high !== 'number') return { text: MISSING };
  return { text: `${ratioWords(low)} to ${ratioWords(high)}`, value: low };
}

function failureCell(row: FlatRow): Cell {
  if (typeof row.failure_rate !== 'number') return { text: 'not run' };
  const lost = lostTrials(row);
  const rate = `${(row.failure_rate * 100).toFixed(0)} %`;
  return { text: lost.length === 0 ? rate : `${rate} (${lost.join(', ')})`, value: row.failure_rate };
}

/** The p that the row's verdict rests on. */
function decidingOf({ verdict, p_differs, p_equivalent }: FlatRow): FlatRow[keyof FlatRow] {
  if (typeof verdict !== 'string' || verdict === 'too few blocks' || verdict === 'fails') return undefined;
  return verdict === 'equivalent' ? p_equivalent : p_differs;
}

function probability(value: number): string {
  return value < 0.001 ? '< 0.001' : value.toFixed(3);
}
