// SPDX-License-Identifier: Apache-2.0
import { decidingP } from '../stats/verdict.ts';
import type { OutcomeRow, OutcomeTable } from './outcome-types.ts';
import { pointWords } from './point-words.ts';

/** Headings of the table for people. */
export const HEADINGS = [
  'policy',
  'median',
  'ratio',
  '95 % interval',
  'verdict',
  'p (Holm)',
  'n',
  'failure rate',
  'not completed',
] as const;
export type Heading = (typeof HEADINGS)[number];

/** What stands for a value that does not exist. */
export const MISSING = '-';

/** One row as text; every figure that does not exist is `-`. */
export function rowCells(row: OutcomeRow): Record<Heading, string> {
  return {
    policy: policyLabel(row),
    median: row.median === undefined ? MISSING : formatValue(row.median),
    ratio: formatRatioOf(row),
    '95 % interval': formatInterval(row),
    verdict: row.role === 'baseline' ? 'baseline' : (row.verdict ?? MISSING),
    'p (Holm)': formatDecidingP(row),
    n: String(row.n),
    'failure rate': formatRate(row),
    'not completed': formatFailures(row),
  };
}

/** `eevdf`, or `eevdf (A/A)` for the null control. */
export function policyLabel(row: Pick<OutcomeRow, 'policy' | 'role'>): string {
  return row.role === 'aa' ? `${row.policy} (A/A)` : row.policy;
}

/** `hackbench transport=pipe at 2s: time (s, lower is better)`; a point is named only where it must be. */
export function groupTitle(
  row: OutcomeRow,
  { engines, rows }: Pick<OutcomeTable, 'engines' | 'rows'>,
): string {
  const engine = engines.length > 1 ? ` on ${row.engine}` : '';
  const variant = row.variant === '' || row.variant === 'default' ? '' : ` ${row.variant}`;
  const metric =
    row.metric === undefined
      ? 'no metric was measured'
      : `${row.metric.name} (${row.metric.unit}, ${row.metric.direction} is better)`;
  return printable(`${row.workload}${variant}${pointWords(row, rows)}${engine}: ${metric}`);
}

/** Rows of the same workload, point and engine, in order. */
export function rowGroups(table: Pick<OutcomeTable, 'rows'>): OutcomeRow[][] {
  const groups = new Map<string, OutcomeRow[]>();
  for (const row of table.rows) {
    const key = JSON.stringify([row.engine, row.workload, row.variant, row.point]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(row);
  }
  return [...groups.values()];
}

/** Footnotes of the table: a line for each way in which trials of a row did not complete. */
export function failureLines(table: OutcomeTable): string[] {
  return table.rows.flatMap((row) =>
    row.failures.map(({ note, state, reason, trials, log }) =>
      printable(
        `[${note}] ${policyLabel(row)} on ${row.workload} ${row.variant}${pointWords(row, table.rows)}: ${state}: ${reason} (${listTrials(trials)})${log === undefined ? '' : `; log: ${log}`}`,
      ),
    ),
  );
}

/** First line of every form: which run, how much of it is there. */
export function tableTitle(table: OutcomeTable): string {
  const count =
    table.recorded === table.planned ? `${table.recorded}` : `${table.recorded} of ${table.planned}`;
  return `${table.run}: ${count} trials on ${table.engines.join(', ')}, compared with ${table.baseline}`;
}

/** Four significant digits, without an exponent where people read none. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e9)) return value.toExponential(3);
  if (size >= 1000) return value.toFixed(0);
  return value.toPrecision(4);
}

/** Ratios have three decimals, small ones three digits. */
export function formatRatio(ratio: number): string {
  return ratio >= 0.1 && ratio < 1000 ? ratio.toFixed(3) : ratio.toPrecision(3);
}

/** Two digits; what is very small is said to be. */
export function formatP(p: number): string {
  return p < 1e-4 ? '<0.0001' : p.toPrecision(2);
}

function formatDecidingP({ verdict, tested }: OutcomeRow): string {
  const p = decidingP(verdict, tested);
  return p === undefined ? MISSING : formatP(p);
}

function formatRate({ failures, recorded }: OutcomeRow): string {
  if (recorded === 0) return MISSING;
  const failed = failures.reduce((sum, { trials }) => sum + trials.length, 0);
  const percent = (100 * failed) / recorded;
  return `${percent > 0 && percent < 1 ? '<1' : Math.round(percent)} %`;
}

/** Text that a terminal shows as it is: a guest's words may hold escape sequences and line ends. */
export function printable(text: string): string {
  return text.replace(/[\r\n\t]+/g, ' ').replace(/\p{Cc}/gu, '\uFFFD');
}

function formatRatioOf({ role, ratio, n }: OutcomeRow): string {
  if (role === 'baseline') return n === 0 ? MISSING : '1';
  return ratio === undefined || ratio.kind === 'none' ? MISSING : formatRatio(ratio.ratio);
}

function formatInterval({ ratio }: OutcomeRow): string {
  if (ratio?.kind !== 'interval') return MISSING;
  return ratio.zeroWidth ? 'no spread' : `${formatRatio(ratio.low)} to ${formatRatio(ratio.high)}`;
}

function formatFailures({ failures, planned, recorded }: OutcomeRow): string {
  const parts = failures.map(({ trials, state, note }) => `${trials.length} ${state} [${note}]`);
  if (recorded < planned) parts.push(`${planned - recorded} not run yet`);
  return parts.length === 0 ? MISSING : parts.join(', ');
}

function listTrials(trials: readonly string[]): string {
  const shown = trials.slice(0, 5).join(', ');
  const more = trials.length > 5 ? ` and ${trials.length - 5} more` : '';
  return `trial${trials.length === 1 ? '' : 's'} ${shown}${more}`;
}
