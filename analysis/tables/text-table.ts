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

/** What a narrow terminal goes without, the first first: all of it stands in the other forms, too. */
const SPARED: readonly Heading[] = ['median', 'failure rate', 'p (Holm)', 'not completed'];
export const TEXT_WIDTH = 120;

/** The table for a terminal of `width` columns (120 when absent), a string a line. Colour only repeats what the words say. */
export function formatTextTable(
  table: OutcomeTable,
  { colour, width = TEXT_WIDTH }: { readonly colour: boolean; readonly width?: number | undefined },
): string[] {
  const groups = rowGroups(table).map((rows) => ({ rows, cells: rows.map(rowCells) }));
  const widths = new Map(
    HEADINGS.map((heading) => [
      heading,
      Math.max(heading.length, ...groups.flatMap(({ cells }) => cells.map((cell) => cell[heading].length))),
    ]),
  );
  const shown = fitting(widths, width);
  const line = (
    cells: Readonly<Record<Heading, string>>,
    style: (heading: Heading, text: string) => string,
  ) =>
    shown.reduce((text, heading, at) => {
      // Nothing is padded at the end of a line.
      const cell =
        at === shown.length - 1 ? cells[heading] : pad(cells[heading], widths.get(heading) ?? 0, heading);
      return `${text}  ${style(heading, cell)}`;
    }, '');
  const headings = Object.fromEntries(HEADINGS.map((heading) => [heading, heading])) as Record<
    Heading,
    string
  >;

  const lines = wrapped(printable(tableTitle(table)), width, '  ');
  for (const { rows, cells } of groups) {
    const [first] = rows;
    if (first === undefined) continue;
    lines.push(
      '',
      ...wrapped(groupTitle(first, table), width, '    '),
      line(headings, (_heading, text) => text),
    );
    cells.forEach((cell, at) => {
      const row = rows[at] as OutcomeRow;
      lines.push(line(cell, (heading, text) => (colour ? coloured(row, heading, text) : text)));
    });
  }
  const failures = failureLines(table);
  if (failures.length > 0) lines.push('', 'Trials that did not complete:');
  lines.push(...failures.flatMap((text) => wrapped(`  ${text}`, width, '      ')));
  lines.push('', ...table.notes.flatMap((note) => wrapped(`* ${printable(note)}`, width, '  ')));
  return lines;
}

/** The columns for which there is room. */
function fitting(widths: ReadonlyMap<Heading, number>, width: number): readonly Heading[] {
  let shown: readonly Heading[] = HEADINGS;
  const wide = () => shown.reduce((sum, heading) => sum + 2 + (widths.get(heading) ?? 0), 0);
  for (const spared of SPARED) {
    if (wide() <= width) break;
    shown = shown.filter((heading) => heading !== spared);
  }
  return shown;
}

/** Text in lines of at most `width` characters, broken between words; words that are longer, such as paths, stay whole. */
function wrapped(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const lead = lines.length === 0 ? 2 : indent.length;
    const before = rest.lastIndexOf(' ', width);
    const at = before > lead ? before : rest.indexOf(' ', width);
    if (at < 0) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = `${indent}${rest.slice(at + 1).trimStart()}`;
  }
  return [...lines, rest];
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
