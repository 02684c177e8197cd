// SPDX-License-Identifier: Apache-2.0
import { styleText } from 'node:util';
import {
  failureLines,
  groupTitle,
  HEADINGS,
  type Heading,
  printable,
  rowCells,
  rowGroups,
  tableTitle,
} from './cells.ts';
import type { OutcomeRow, OutcomeTable } from './outcome-types.ts';

const RIGHT_ALIGNED: ReadonlySet<Heading> = new Set(['median', 'ratio', 'p (Holm)', 'n', 'failure rate']);

/** The table for a terminal, a string a line. Colour only repeats what the words say. */
export function formatTextTable(table: OutcomeTable, options: { readonly colour: boolean }): string[] {
  const groups = rowGroups(table).map((rows) => ({ rows, cells: rows.map(rowCells) }));
  const widths = HEADINGS.map((heading) =>
    Math.max(heading.length, ...groups.flatMap(({ cells }) => cells.map((cell) => cell[heading].length))),
  );
  const line = (
    cells: Readonly<Record<Heading, string>>,
    style: (heading: Heading, text: string) => string,
  ) =>
    HEADINGS.reduce((text, heading, at) => {
      // Nothing is padded at the end of a line.
      const cell =
        at === HEADINGS.length - 1 ? cells[heading] : pad(cells[heading], widths[at] ?? 0, heading);
      return `${text}  ${style(heading, cell)}`;
    }, '');
  const headings = Object.fromEntries(HEADINGS.map((heading) => [heading, heading])) as Record<
    Heading,
    string
  >;

  const lines = [printable(tableTitle(table))];
  for (const { rows, cells } of groups) {
    const [first] = rows;
    if (first === undefined) continue;
    lines.push(
      '',
      groupTitle(first, table),
      line(headings, (_heading, text) => text),
    );
    cells.forEach((cell, at) => {
      const row = rows[at] as OutcomeRow;
      lines.push(line(cell, (heading, text) => (options.colour ? coloured(row, heading, text) : text)));
    });
  }
  const failures = failureLines(table);
  if (failures.length > 0)
    lines.push('', 'Trials that did not complete:', ...failures.map((text) => `  ${text}`));
  lines.push('', ...table.notes.map((note) => `* ${printable(note)}`));
  return lines;
}

function pad(text: string, width: number, heading: Heading): string {
  return RIGHT_ALIGNED.has(heading) ? text.padStart(width) : text.padEnd(width);
}

function coloured(row: OutcomeRow, heading: Heading, text: string): string {
  if (heading === 'verdict' && row.verdict === 'better') return paint('green', text);
  if (heading === 'verdict' && row.verdict === 'worse') return paint('red', text);
  if (heading === 'not completed' && row.failures.length > 0) return paint('yellow', text);
  return text;
}

function paint(colour: 'green' | 'red' | 'yellow', text: string): string {
  // The caller has decided; styleText would look at the process's own streams.
  return styleText(colour, text, { validateStream: false });
}
