// SPDX-License-Identifier: Apache-2.0
import { type PairedRatio, pairedRatio } from '../../analysis/stats/paired-ratio.ts';
import { type CsvCell, formatCsv } from '../core/csv.ts';
import type { ProbeSet } from '../core/probe-counters.ts';
import type { TrialRecord } from '../core/trial.ts';

/** The trials of a spec with the same probes. */
export interface ProbeArm {
  /** Empty: without probes. */
  readonly sets: readonly ProbeSet[];
  /** Where frequent events are counted for a part of each window only, in words. */
  readonly turn?: string;
  readonly records: readonly TrialRecord[];
}

/** What these probes cost one workload: virtual time with them over virtual time without, paired by block. */
export interface OverheadRow {
  readonly workload: string;
  readonly variant: string;
  readonly sets: readonly ProbeSet[];
  readonly turn?: string;
  readonly planned: number;
  readonly completed: number;
  readonly ratio: PairedRatio;
  /** Events that no program saw, of all completed trials. */
  readonly missed: number;
}

/** Frequent events that are counted: all of them. */
const ALL = 'all';

const HEADER = [
  'workload',
  'variant',
  'probes',
  'frequent',
  'overhead',
  'low',
  'high',
  'blocks',
  'planned',
  'completed',
  'missed',
];

/** A row for each workload and arm but the one without probes. */
export function overheadRows(arms: readonly ProbeArm[]): OverheadRow[] {
  const without = arms.find(({ sets }) => sets.length === 0)?.records ?? [];
  const variants = [...new Set(without.map(variantOf))];
  return variants.flatMap((variant) =>
    arms.filter(({ sets }) => sets.length > 0).map((arm) => overheadRow(arm, variant, without)),
  );
}

function overheadRow(
  { sets, turn, records }: ProbeArm,
  key: string,
  without: readonly TrialRecord[],
): OverheadRow {
  const mine = records.filter((record) => variantOf(record) === key);
  const pairs = mine.flatMap((record) => {
    const other = without.find((each) => variantOf(each) === key && each.block === record.block);
    const value = timeOf(record);
    const baseline = other && timeOf(other);
    return value === undefined || baseline === undefined ? [] : [{ value, baseline }];
  });
  const [workload = '', variant = ''] = key.split('\n');
  return {
    workload,
    variant,
    sets,
    ...(turn === undefined ? {} : { turn }),
    planned: mine.length,
    completed: mine.filter(({ state }) => state === 'completed').length,
    ratio: pairedRatio(pairs),
    missed: mine
      .flatMap(({ probes }) => Object.values(probes ?? {}))
      .reduce((sum, { missed }) => sum + missed, 0),
  };
}

function variantOf({ workload, variant }: TrialRecord): string {
  return `${workload}\n${variant}`;
}

/** The primary metric of a completed trial, where it is a time. */
function timeOf(record: TrialRecord): number | undefined {
  if (record.state !== 'completed') return undefined;
  return record.metrics.find(({ primary, unit }) => primary && unit === 's')?.value;
}

/** Shares of the time without probes; empty cells are missing. */
export function overheadCsv(rows: readonly OverheadRow[]): string {
  return formatCsv(
    HEADER,
    rows.map(({ workload, variant, sets, turn, ratio, planned, completed, missed }): CsvCell[] => [
      workload,
      variant,
      sets.join('+'),
      turn ?? ALL,
      ...sharesOf(ratio),
      ratio.pairs,
      planned,
      completed,
      missed,
    ]),
  );
}

function sharesOf(ratio: PairedRatio): [CsvCell, CsvCell, CsvCell] {
  if (ratio.kind === 'none') return [undefined, undefined, undefined];
  if (ratio.kind === 'point') return [ratio.ratio - 1, undefined, undefined];
  return [ratio.ratio - 1, ratio.low - 1, ratio.high - 1];
}

export function overheadMarkdown(rows: readonly OverheadRow[], command: string): string {
  const lines = [
    '## What probes cost',
    '',
    'Virtual time of a workload with probes over its time without, less 1; geometric mean over blocks with the 95 % paired interval.',
    `Made by \`${command}\`.`,
    '',
    '| workload | probes | frequent events | overhead | 95 % interval | blocks | events missed |',
    '|:--|:--|:--|--:|--:|--:|--:|',
    ...rows.map(({ workload, variant, sets, turn = ALL, ratio, missed }) => {
      const [overhead, low, high] = sharesOf(ratio).map((share) =>
        typeof share === 'number' ? `${(100 * share).toFixed(2)} %` : '-',
      );
      const interval = low === '-' ? '-' : `${low} to ${high}`;
      return `| ${workload} ${variant} | ${sets.join(', ')} | ${turn} | ${overhead} | ${interval} | ${ratio.pairs} | ${missed} |`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}
