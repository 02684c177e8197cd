// SPDX-License-Identifier: Apache-2.0
import { formatRatio, MISSING } from '../tables/cells.ts';
import { escapeMarkdown } from '../tables/markdown-table.ts';
import type { ObjectiveRow } from './objective-rows.ts';
import { OBJECTIVES } from './objectives.ts';

/** Costs by workload and policy as Markdown, a column for each objective; empty when no workload has two. */
export function formatObjectives(rows: readonly ObjectiveRow[]): string {
  const groups = Map.groupBy(rows, (row) =>
    [row.workload, row.variant, row.point, row.engine].join('\u0000'),
  );
  const sections = [...groups.values()].flatMap((group) => section(group));
  if (sections.length === 0) return '';
  const lines = [
    '## Several objectives',
    '',
    'Cost: ratio to the baseline, turned so that lower is better in every column. Front: no other policy is at least as good in all columns and better in',
    'one; policies with failures are on none. The front is of the ratios as they are: intervals are in `objectives.csv`.',
    'Energy that is `modelled` follows from busy time, idle time and wake-ups (results/README.md); it is not measured.',
    ...sections,
  ];
  return `${lines.join('\n')}\n`;
}

function section(rows: readonly ObjectiveRow[]): string[] {
  const [first] = rows;
  const objectives = OBJECTIVES.filter((objective) => rows.some((row) => row.objective === objective));
  if (first === undefined || objectives.length < 2) return [];
  const headings = objectives.map((objective) => {
    const metric = rows.find((row) => row.objective === objective);
    return escapeMarkdown(
      `${objective}: ${metric?.metric}${metric?.modelled === 'modelled' ? ' (modelled)' : ''}`,
    );
  });
  const policies = [...new Set(rows.map(({ policy }) => policy))];
  const own = first.variant === 'default' ? '' : ` ${first.variant}`;
  return [
    '',
    `### ${escapeMarkdown(`${first.workload}${own} at ${first.point} on ${first.engine}`)}`,
    '',
    `| policy | ${headings.join(' | ')} | front | failure rate |`,
    `|:--|${headings.map(() => '--:|').join('')}:--|--:|`,
    ...policies.map((policy) => {
      const mine = rows.filter((row) => row.policy === policy);
      const costs = objectives.map((objective) => {
        const cost = mine.find((row) => row.objective === objective)?.cost;
        return cost === undefined ? MISSING : formatRatio(Number(cost));
      });
      const rate = mine[0]?.failure_rate;
      const failed = rate === undefined ? MISSING : `${Math.round(100 * Number(rate))} %`;
      return `| ${escapeMarkdown(`${policy}`)} | ${costs.join(' | ')} | ${mine[0]?.on_front ?? MISSING} | ${failed} |`;
    }),
  ];
}
