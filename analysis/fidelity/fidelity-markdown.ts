// SPDX-License-Identifier: Apache-2.0
import type { EngineName } from '../../harness/core/trial.ts';
import { formatRatio, formatValue } from '../tables/cells.ts';
import { escapeMarkdown } from '../tables/markdown-table.ts';
import type { Agreement, AgreementKind } from './agreement.ts';
import type { EngineCost } from './cost.ts';
import type { FidelityRow } from './fidelity-rows.ts';

/** All that `fidelity.md` says. */
export interface FidelityReport {
  readonly name: string;
  readonly baseline: string;
  readonly vcpus: number;
  readonly blocks: number;
  readonly engines: readonly { readonly engine: EngineName; readonly works: boolean; readonly why: string }[];
  readonly costs: readonly EngineCost[];
  readonly agreements: readonly Agreement[];
  readonly rows: readonly FidelityRow[];
}

const MISSING = '-';
const KINDS: Readonly<Record<AgreementKind, string>> = {
  policies: 'policies: ratio to the baseline, each policy on each workload',
  scaling: 'scaling: each step of a sweep over its first, under the baseline',
};

/** The experiment as GitHub-flavoured Markdown, with a last newline. Equal reports give equal bytes. */
export function formatFidelity(report: FidelityReport): string {
  const parts = [
    [
      `# ${report.name}: engines compared`,
      `${report.blocks} blocks, ${report.vcpus} CPUs, baseline ${report.baseline}. ${METHOD}`,
    ],
    ['## Engines', table(['engine', 'works', 'why'], report.engines.map(engineCells))],
    ['## Host cost', COST, table(COST_HEADS, report.costs.map(costCells))],
    ['## Agreement', AGREEMENT, table(AGREEMENT_HEADS, report.agreements.map(agreementCells))],
    ['## Scaling', ...scalingTables(report)],
    ['## Policies', ...policyTables(report)],
  ];
  return `${parts.flat().join('\n\n')}\n`;
}

const METHOD =
  'Every engine runs the same programs with the same arguments and seeds. Times of one engine are never divided by those of another: ' +
  '`exact` counts instructions, `tcg` emulates in real time, `kvm` and `native` run on the processor.';
const AGREEMENT =
  "Kendall's tau-b: 1 when both engines put the same things in the same order, 0 when the orders have nothing in common, -1 when " +
  'they are opposite. Interval: 95 %, percentile bootstrap over blocks (2000 resamples, fixed seed), each block drawn for both ' +
  'engines at once; with few blocks it is too narrow.';

const COST =
  'Host time of a trial from its start to its end, however it ended. Trials that ran at the same time are counted in full, and other work on the ' +
  'host lengthens them.';
const COST_HEADS = ['engine', 'trials', 'completed', 'median s a trial', 'longest s', 'sum s'];
const AGREEMENT_HEADS = ['what is ordered', 'engines', 'tau-b', '95 % interval', 'things', 'blocks'];

function engineCells({ engine, works, why }: FidelityReport['engines'][number]): string[] {
  return [engine, works ? 'yes' : 'no', why];
}

function costCells(cost: EngineCost): string[] {
  const trials = cost.recorded === cost.planned ? `${cost.recorded}` : `${cost.recorded} of ${cost.planned}`;
  const seconds = [cost.medianSeconds, cost.longestSeconds, cost.totalSeconds].map(
    (value) => value?.toFixed(1) ?? MISSING,
  );
  return [cost.engine, trials, `${cost.completed}`, ...seconds];
}

function agreementCells({ kind, engines, tau, interval, items, blocks }: Agreement): string[] {
  const range = interval && `${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}`;
  return [
    KINDS[kind],
    engines.join(', '),
    tau?.toFixed(2) ?? MISSING,
    range ?? MISSING,
    `${items}`,
    `${blocks}`,
  ];
}

/** A table a sweep: the baseline's median at each step over that at the first, a column an engine. */
function scalingTables({ rows, engines, baseline }: FidelityReport): string[] {
  const own = rows.filter((row) => row.sweep !== undefined && row.policy === baseline);
  return groups(own, (row) => `${row.workload}`).flatMap((group) => {
    const [first] = group;
    const heads = [`${first?.sweep}`, ...engines.map(({ engine }) => engine)];
    const lines = groups(group, (row) => `${row.step}`)
      .toSorted((a, b) => Number(a[0]?.step) - Number(b[0]?.step))
      .map((step) => [`${step[0]?.step}`, ...byEngine(engines, step, scaledCell)]);
    return [
      `### ${first?.workload}, ${first?.policy}: ${metricWords(group)} over that at the first step`,
      table(heads, lines),
    ];
  });
}

function scaledCell(row: FidelityRow): string {
  if (typeof row.scaled !== 'number') return MISSING;
  return `${formatRatio(row.scaled)} (${formatValue(row.median as number)} ${row.unit})`;
}

/** A table for each workload with its parameters: ratio to the baseline with its interval, a column an engine. */
function policyTables({ rows, engines, baseline }: FidelityReport): string[] {
  return groups(rows, (row) => `${row.workload} ${row.variant}`).flatMap((group) => {
    const [first] = group;
    const heads = ['policy', ...engines.map(({ engine }) => engine)];
    const lines = groups(group, (row) => `${row.policy}`).map((policy) => [
      `${policy[0]?.policy}`,
      ...byEngine(engines, policy, (row) => ratioCell(row, baseline)),
    ]);
    return [
      `### ${escapeMarkdown(`${first?.workload} ${first?.variant}`)}: ${metricWords(group)}`,
      table(heads, lines),
    ];
  });
}

function ratioCell(row: FidelityRow, baseline: string): string {
  if (row.policy === baseline)
    return typeof row.median === 'number' ? `${formatValue(row.median)} ${row.unit}` : MISSING;
  const lost =
    typeof row.planned === 'number' && row.completed !== row.planned
      ? `, ${row.completed} of ${row.planned} completed`
      : '';
  if (typeof row.ratio !== 'number') return `${MISSING}${lost}`;
  const range =
    typeof row.low === 'number' && typeof row.high === 'number'
      ? ` (${formatRatio(row.low)} to ${formatRatio(row.high)})`
      : '';
  return `${formatRatio(row.ratio)}${range}${lost}`;
}

function byEngine(
  engines: FidelityReport['engines'],
  rows: readonly FidelityRow[],
  cell: (row: FidelityRow) => string,
): string[] {
  return engines.map(({ engine }) => {
    const row = rows.find((each) => each.engine === engine);
    return row === undefined ? MISSING : cell(row);
  });
}

function metricWords(rows: readonly FidelityRow[]): string {
  const row = rows.find(({ metric }) => metric !== undefined);
  return row === undefined
    ? 'no metric was measured'
    : `${row.metric} (${row.unit}, ${row.direction} is better)`;
}

function groups<T>(items: readonly T[], key: (item: T) => string): T[][] {
  return [...Map.groupBy(items, key).values()];
}

function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [row(heads), `|${heads.map(() => ':--').join('|')}|`, ...lines.map(row)].join('\n');
}
