// SPDX-License-Identifier: Apache-2.0
import { frameOf } from '../frame.ts';
import { formatRatio, groupTitle, MISSING, policyLabel, rowGroups } from './cells.ts';
import { escapeMarkdown } from './markdown-table.ts';
import type { OutcomeRow, OutcomeTable } from './outcome-types.ts';

/**
 * The whole run at a glance, as Markdown: a row a workload, a column a policy, each cell the ratio and its
 * verdict.
 */
export async function formatOverview(table: OutcomeTable): Promise<string> {
  const cells = rowGroups(table).flatMap((rows) =>
    rows
      .filter((row) => row.role !== 'baseline')
      .map((row) => ({
        workload: groupTitle(row, table),
        policy: policyLabel(row),
        cell: overviewCell(row),
      })),
  );
  const wide = (await frameOf(cells, ['workload', 'policy', 'cell'])).pivot('workload', 'policy', 'cell');
  const lines = [
    wide.columns,
    wide.columns.map((_column, at) => (at === 0 ? ':--' : '--:')),
    ...wide.rows().map((row) => wide.columns.map((column) => String(row[column] ?? MISSING))),
  ];
  const text = lines.map((line, at) => `| ${(at === 1 ? line : line.map(escapeMarkdown)).join(' | ')} |\n`);
  return `## Ratio to ${escapeMarkdown(table.baseline)} at a glance\n\n${text.join('')}`;
}

function overviewCell(row: OutcomeRow): string {
  const { ratio, failures } = row;
  if (ratio !== undefined && ratio.kind !== 'none')
    return [formatRatio(ratio.ratio), ...(row.verdict === undefined ? [] : [row.verdict])].join(' ');
  const states = [...new Set(failures.map(({ state }) => state))];
  return states.length === 0 ? MISSING : states.join(', ');
}
