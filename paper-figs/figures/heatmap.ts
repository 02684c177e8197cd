// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { pointWords } from '../../analysis/tables/point-words.ts';
import type { FlatRow } from '../../analysis/tables/table-rows.ts';
import {
  countWords,
  type FigureNames,
  LOOKS,
  type Look,
  lookOf,
  lostTrials,
  policyName,
  sheet,
  unique,
} from './style.ts';

interface Cell {
  readonly row: string;
  readonly policy: string;
  /** log2 of how many times better than the baseline; what the colour shows, within `LIMIT`. */
  readonly gain?: number;
  readonly ratio?: number;
  /** What stands in the cell: the ratio, or how its trials ended. */
  readonly text: string;
  /** Verdict's mark beside the ratio. */
  readonly mark: string;
  readonly verdict: string;
  readonly interval: string;
  readonly n: number;
  /** Trials that did not complete, in words; a star beside the ratio stands for them. */
  readonly lost?: string;
  readonly light?: boolean;
}

/** Four times better and worse have the deepest colours. */
const LIMIT = 2;
/** Worse to better, after ColorBrewer's PuOr and RdBu: told apart in every common colour blindness. */
const COLOURS = ['#8C3B00', '#D9701F', '#F6B67F', '#F7F7F7', '#9BC8E6', '#3D8BC4', '#00467F'];
const CELL = { width: 50, height: 22 } as const;

/**
 * Every workload by every policy: colour says how much better or worse than the baseline, whichever way the metric
 * goes; a mark says whether that is shown; cells without a ratio say how their trials ended. Pure: equal rows give
 * an equal spec. Undefined when there is no policy besides the baseline.
 */
export function heatmap(rows: readonly FlatRow[], given: FigureNames): TopLevelSpec | undefined {
  const compared = rows.filter((row) => row.role !== 'baseline');
  if (compared.length === 0) return undefined;
  const cells = compared.map((row) => cellOf(row, rows));
  const policies = unique(cells.map(({ policy }) => policy));
  const names = unique(cells.map(({ row }) => row));
  const counts = compared.filter(({ ratio }) => ratio !== undefined).map(({ n }) => Number(n));
  const x = {
    field: 'policy',
    type: 'nominal',
    scale: { domain: policies, paddingInner: 0, paddingOuter: 0 },
    axis: {
      title: null,
      orient: 'top',
      labelAngle: -40,
      labelAlign: 'left',
      labelBaseline: 'middle',
      labelLimit: 160,
      labelPadding: 5,
      ticks: false,
      domain: false,
    },
  } as const;
  const y = {
    field: 'row',
    type: 'nominal',
    scale: { domain: names, paddingInner: 0, paddingOuter: 0 },
    axis: { title: null, labelLimit: 420, ticks: false, domain: false, labelPadding: 8 },
  } as const;
  return sheet(`${given.run}: every workload under every policy`, subtitleOf(counts, cells, given), {
    width: { step: CELL.width },
    height: { step: CELL.height },
    data: { values: cells },
    encoding: { x, y },
    layer: [
      {
        transform: [{ filter: '!isValid(datum.gain)' }],
        mark: { type: 'rect', color: '#e3e3e3', stroke: '#ffffff', strokeWidth: 1 },
        encoding: { tooltip: TOOLTIP },
      },
      {
        transform: [{ filter: 'isValid(datum.gain)' }],
        mark: { type: 'rect', stroke: '#ffffff', strokeWidth: 1 },
        encoding: { color: colour(), tooltip: TOOLTIP },
      },
      {
        mark: { type: 'text', fontSize: 9, dx: { expr: "datum.mark === '' ? 0 : -5" } },
        encoding: {
          text: { field: 'text', type: 'nominal' },
          color: {
            condition: { test: 'datum.light', value: '#ffffff' },
            value: '#000000',
          },
        },
      },
      {
        transform: [{ filter: "datum.mark !== ''" }],
        mark: { type: 'text', fontSize: 8, dx: 17 },
        encoding: {
          text: { field: 'mark', type: 'nominal' },
          color: { condition: { test: 'datum.light', value: '#ffffff' }, value: '#000000' },
        },
      },
    ],
  });
}

const TOOLTIP = [
  { field: 'row', type: 'nominal', title: 'workload' },
  { field: 'policy', type: 'nominal' },
  { field: 'ratio', type: 'quantitative', format: '.4~g' },
  { field: 'interval', type: 'nominal', title: '95 % interval' },
  { field: 'verdict', type: 'nominal' },
  { field: 'n', type: 'quantitative' },
  { field: 'lost', type: 'nominal', title: 'not completed' },
] as const;

function colour() {
  return {
    field: 'gain',
    type: 'quantitative',
    scale: { domain: [-LIMIT, 0, LIMIT], range: COLOURS, interpolate: 'rgb', clamp: true },
    legend: {
      title: null,
      orient: 'bottom',
      direction: 'horizontal',
      gradientLength: 420,
      labelOverlap: false,
      gradientThickness: 10,
      values: [-2, -1, 0, 1, 2],
      labelExpr:
        "datum.value === 0 ? 'equal' : (datum.value === 2 || datum.value === -2 ? '4x+ ' : '2x ') + (datum.value > 0 ? 'better' : 'worse')",
    },
  } as const;
}

function cellOf(row: FlatRow, rows: readonly FlatRow[]): Cell {
  const { ratio, low, high } = row as { ratio?: number; low?: number; high?: number };
  const lost = lostTrials(row);
  const look = ratio === undefined ? undefined : lookOf(row);
  const base = {
    row: rowName(row, rows),
    policy: policyName(row),
    n: Number(row.n),
    verdict: look ?? 'no ratio',
    interval:
      low === undefined || high === undefined ? 'none' : `${low.toPrecision(4)} to ${high.toPrecision(4)}`,
    ...(lost.length === 0 ? {} : { lost: lost.join(', ') }),
  };
  if (ratio === undefined || look === undefined) return { ...base, text: endWords(row), mark: '' };
  const gain = (row.direction === 'higher' ? 1 : -1) * Math.log2(ratio);
  // White on the deep ends of the colours.
  return {
    ...base,
    ratio,
    gain,
    text: `${short(ratio)}${lost.length === 0 ? '' : '*'}`,
    mark: LOOKS[look].mark,
    light: Math.abs(gain) > 1.1,
  };
}

/** The one way in which all trials of a cell ended, or that there were several. */
function endWords(row: FlatRow): string {
  const states = (['failed', 'ejected', 'refused', 'timed-out', 'crashed'] as const).filter(
    (state) => row[state] !== 0,
  );
  if (Number(row.recorded) === 0) return 'not run';
  if (Number(row.completed) > 0) return 'no pair';
  return states.length === 1 ? `${states[0]}` : 'lost';
}

/** Three digits at most: what fits into a cell. */
function short(ratio: number): string {
  if (ratio >= 1000 || ratio < 0.001) return ratio.toExponential(0);
  return ratio >= 100
    ? ratio.toFixed(0)
    : ratio >= 10
      ? ratio.toFixed(1)
      : ratio < 0.1
        ? ratio.toFixed(3)
        : ratio.toFixed(2);
}

/** Workload, what tells its rows apart, metric and which way is better. */
function rowName(row: FlatRow, rows: readonly FlatRow[]): string {
  const own = rows.filter(({ workload }) => workload === row.workload);
  const variants = unique(own.map(({ variant }) => `${variant}`));
  const parameters = differing(variants, `${row.variant}`);
  const engine = unique(rows.map((other) => other.engine)).length > 1 ? ` on ${row.engine}` : '';
  const arrow = row.direction === undefined ? '' : row.direction === 'higher' ? ' \u2191' : ' \u2193';
  const metric = row.metric === undefined ? '' : `: ${row.metric}${arrow}`;
  return `${row.workload}${parameters}${pointWords(row, rows)}${engine}${metric}`;
}

/** Of a variant's parameters those that other variants of the workload have not. */
function differing(variants: readonly string[], variant: string): string {
  if (variants.length < 2) return '';
  const parts = variants.map((one) => one.split(','));
  const own = variant.split(',').filter((part) => !parts.every((others) => others.includes(part)));
  return ` ${own.length === 0 ? variant : own.join(', ')}`;
}

function subtitleOf(counts: readonly number[], cells: readonly Cell[], { baseline }: FigureNames): string[] {
  const marks = (Object.keys(LOOKS) as Look[]).filter(
    (look) => LOOKS[look].mark !== '' && cells.some(({ verdict }) => verdict === look),
  );
  const shown =
    marks.length === 0
      ? 'No cell has an interval, so none has a verdict.'
      : `Verdicts: ${marks.map((look) => `${LOOKS[look].mark} ${look}`).join(', ')}.`;
  const alone = marks.length > 0 && cells.some(({ verdict }) => verdict === 'no interval');
  const without = alone ? ' No mark: one pair of blocks, so no interval.' : '';
  const some = cells.some(({ lost, gain }) => lost !== undefined && gain !== undefined);
  const star = some ? ' *: some trials did not complete.' : '';
  return [
    `Number: ratio of the metric to that under ${baseline} (${countWords(counts)} pairs of blocks). \u2193 lower is better, \u2191 higher is better.`,
    `Colour: blue is better and orange worse, whichever way the metric goes (logarithmic). Grey: no ratio.`,
    `${shown}${without}${star}`,
  ];
}
