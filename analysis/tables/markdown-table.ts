// SPDX-License-Identifier: Apache-2.0
import { failureLines, groupTitle, HEADINGS, printable, rowCells, rowGroups, tableTitle } from './cells.ts';
import type { OutcomeTable } from './outcome-types.ts';

/** The table as GitHub-flavoured Markdown, with a last newline. */
export function formatMarkdownTable(table: OutcomeTable): string {
  const lines = [`## ${escapeMarkdown(tableTitle(table))}`];
  for (const rows of rowGroups(table)) {
    const [first] = rows;
    if (first === undefined) continue;
    lines.push('', `### ${escapeMarkdown(groupTitle(first, table))}`, '');
    lines.push(`| ${HEADINGS.join(' | ')} |`, '|:--|--:|--:|:--|:--|--:|--:|--:|:--|');
    for (const row of rows) {
      const cells = rowCells(row);
      lines.push(`| ${HEADINGS.map((heading) => escapeMarkdown(cells[heading])).join(' | ')} |`);
    }
  }
  const failures = failureLines(table);
  if (failures.length > 0) lines.push('', '### Trials that did not complete', '');
  lines.push(...failures.map((text) => `- ${escapeMarkdown(text)}`));
  lines.push('', '### Notes', '', ...table.notes.map((note) => `- ${escapeMarkdown(note)}`));
  return `${lines.join('\n')}\n`;
}

/** Plain text that Markdown shows as it is. */
export function escapeMarkdown(text: string): string {
  return printable(text).replace(/[\\`*_|<>[\]]/g, (character) => `\\${character}`);
}
