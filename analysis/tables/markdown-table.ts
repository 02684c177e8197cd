// SPDX-License-Identifier: Apache-2.0
import { failureLines, groupTitle, HEADINGS, printable, rowCells, rowGroups, tableTitle } from './cells.ts';
import type { OutcomeTable } from './outcome-table.ts';

/** The table as GitHub-flavoured Markdown, with a last newline. */
export function formatMarkdownTable(table: OutcomeTable): string {
  const lines = [`## ${escaped(tableTitle(table))}`];
  for (const rows of rowGroups(table)) {
    const [first] = rows;
    if (first === undefined) continue;
    lines.push('', `### ${escaped(groupTitle(first, table.engines))}`, '');
    lines.push(`| ${HEADINGS.join(' | ')} |`, '|:--|--:|--:|:--|:--|--:|:--|');
    for (const row of rows) {
      const cells = rowCells(row);
      lines.push(`| ${HEADINGS.map((heading) => escaped(cells[heading])).join(' | ')} |`);
    }
  }
  const failures = failureLines(table);
  if (failures.length > 0) lines.push('', '### Trials that did not complete', '');
  lines.push(...failures.map((text) => `- ${escaped(text)}`));
  lines.push('', '### Notes', '', ...table.notes.map((note) => `- ${escaped(note)}`));
  return `${lines.join('\n')}\n`;
}

/** Plain text that Markdown shows as it is. */
function escaped(text: string): string {
  return printable(text).replace(/[\\`*_|<>[\]]/g, (character) => `\\${character}`);
}
