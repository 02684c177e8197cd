// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { pointWords } from '../../analysis/tables/point-words.ts';
import type { FlatRow } from '../../analysis/tables/table-rows.ts';
import { logTicks, ratioDomain } from './ratio-axis.ts';
import {
  countWords,
  type FigureNames,
  GREY,
  LOOKS,
  type Look,
  lookOf,
  lostTrials,
  panelTitle,
  policyName,
  ratioWords,
  sheet,
  unique,
} from './style.ts';

interface Mark {
  readonly panel: string;
  readonly policy: string;
  /** What stands to the right: ratio, interval, n, lost trials. */
  readonly numbers: string;
  readonly n: number;
  readonly look?: Look;
  readonly ratio?: number;
  readonly low?: number;
  readonly high?: number;
  /** Ratios from 1 / margin to margin are equivalent. */
  readonly margin?: number;
  /** What stands in the place of a ratio that does not exist. */
  readonly words?: string;
}

/** Pixels between two policies. */
const STEP = 18;
const WIDTH = { one: 400, two: 250, alone: 560 } as const;
/** Rows of one column of a page in print, where a panel's title and axis take as much as `HEADING` rows. */
const COLUMN_ROWS = 72;
const HEADING = 5;

/**
 * Ratio of each policy's metric to the baseline's with its interval, a panel with a logarithmic axis for each
 * workload; more than a column has room for stand in two. A pure function of the table's flat rows: equal rows give
 * an equal spec.
 */
export function forestPlot(rows: readonly FlatRow[], given: FigureNames): TopLevelSpec {
  const marks = rows.filter((row) => row.role !== 'baseline').map((row) => markOf(row, rows));
  const looks = looksOf(marks);
  const panels = unique(marks.map(({ panel }) => panel));
  if (panels.length === 0) panels.push(`no policy besides ${given.baseline} in this run`);
  const columns = marks.length + HEADING * panels.length > COLUMN_ROWS ? 2 : 1;
  return sheet(`${given.run}: ratio to ${given.baseline}`, subtitleOf(rows), {
    spacing: columns === 1 ? 22 : { row: 22, column: 30 },
    columns,
    concat: panels.map((panel, at) => ({
      title: panelTitle(...titleOf(panel)),
      ...panelOf({
        marks: marks.filter((mark) => mark.panel === panel),
        looks,
        width: columns === 1 ? WIDTH.one : WIDTH.two,
        axisTitle:
          at >= panels.length - columns
            ? `metric / metric under ${given.baseline} (no unit; log scale)`
            : null,
      }),
    })),
  });
}

/** One workload's panel alone, without heading and without numbers: for where a table stands beside it. */
export function forestPanel(rows: readonly FlatRow[], given: FigureNames): TopLevelSpec {
  const marks = rows.filter((row) => row.role !== 'baseline').map((row) => markOf(row, rows));
  const axisTitle = `metric / metric under ${given.baseline} (no unit; log scale)`;
  const looks = looksOf(marks);
  const panel = panelOf({ marks, looks, width: WIDTH.alone, axisTitle, numbers: false });
  return sheet(`${given.run}: ratio to ${given.baseline}`, subtitleOf(rows), panel);
}

function looksOf(marks: readonly Mark[]): Look[] {
  return (Object.keys(LOOKS) as Look[]).filter((look) => marks.some((mark) => mark.look === look));
}

/** The rows of each page of a forest plot that is read in print: whole workloads, two columns at most. */
export function forestPages(rows: readonly FlatRow[]): FlatRow[][] {
  const groups = new Map<string, FlatRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.engine, row.workload, row.variant, row.point]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const total = rows.length + HEADING * groups.size;
  const pages = Math.ceil(total / (2 * COLUMN_ROWS));
  const each = Math.ceil(groups.size / Math.max(1, pages));
  const list = [...groups.values()];
  return Array.from({ length: pages }, (_, page) => list.slice(page * each, (page + 1) * each).flat()).filter(
    (page) => page.length > 0,
  );
}

function panelOf(given: {
  readonly marks: readonly Mark[];
  readonly looks: readonly Look[];
  readonly width: number;
  readonly axisTitle: string | null;
  readonly numbers?: boolean;
}) {
  const { marks, looks, width, axisTitle, numbers = true } = given;
  // A range for each panel: one latency that is ten times worse must not flatten all other panels.
  const margin = marks.find((mark) => mark.margin !== undefined)?.margin;
  const domain = ratioDomain([
    ...marks.flatMap(({ ratio, low, high }) => [ratio, low, high]),
    ...(margin === undefined ? [] : [1 / margin, margin]),
  ]);
  // Words go where the line at 1 leaves more room.
  const wordsRight = domain[0] * domain[1] >= 1;
  const axis = { title: axisTitle, values: logTicks(domain), format: '~g', grid: true } as const;
  const x = { type: 'quantitative', scale: { type: 'log', domain }, axis } as const;
  const y = {
    field: 'policy',
    type: 'nominal',
    // In the table's order.
    scale: { domain: marks.map(({ policy }) => policy) },
    axis: { title: null, domain: false, ticks: false, labelLimit: 200, labelPadding: 8 },
  } as const;
  const legend = { title: null, orient: 'bottom', symbolSize: 70 } as const;
  const byLook = (range: string[]) =>
    ({ field: 'look', type: 'nominal', scale: { domain: [...looks], range }, legend }) as const;
  const color = byLook(looks.map((look) => LOOKS[look].colour));
  const shape = byLook(looks.map((look) => LOOKS[look].shape));
  const tooltip = [
    { field: 'policy', type: 'nominal' },
    { field: 'look', type: 'nominal', title: 'verdict' },
    { field: 'numbers', type: 'nominal', title: 'ratio' },
    { field: 'n', type: 'quantitative' },
  ] as const;
  return {
    width,
    height: STEP * marks.length,
    data: { values: [...marks] },
    layer: [
      ...(margin === undefined
        ? []
        : [
            {
              data: { values: [{ from: 1 / margin, to: margin }] },
              mark: { type: 'rect', color: '#ededed' },
              encoding: { x: { field: 'from', ...x }, x2: { field: 'to' } },
            },
          ]),
      {
        data: { values: [{ ratio: 1 }] },
        mark: { type: 'rule', stroke: '#000000', strokeDash: [3, 3], strokeWidth: 1 },
        encoding: { x: { field: 'ratio', ...x } },
      },
      {
        transform: [{ filter: 'isValid(datum.low)' }],
        mark: { type: 'rule', strokeWidth: 2, strokeCap: 'round' },
        encoding: { x: { field: 'low', ...x }, x2: { field: 'high' }, y, color, tooltip },
      },
      {
        transform: [{ filter: 'isValid(datum.ratio)' }],
        mark: { type: 'point', filled: true, size: 55, opacity: 1 },
        encoding: { x: { field: 'ratio', ...x }, y, color, shape, tooltip },
      },
      {
        transform: [{ filter: 'isValid(datum.words)' }],
        mark: {
          type: 'text',
          align: wordsRight ? 'left' : 'right',
          dx: wordsRight ? 6 : -6,
          fontStyle: 'italic',
          fontSize: 10,
          color: GREY,
        },
        encoding: { x: { datum: 1, ...x }, y, text: { field: 'words', type: 'nominal' } },
      },
      ...(numbers ? [numbersLayer(y)] : []),
    ],
  };
}

/** Ratio, interval and n to the right of the panel. */
function numbersLayer(y: object) {
  return {
    mark: { type: 'text', align: 'left', dx: 10, fontSize: 9, color: GREY },
    encoding: { x: { value: 'width' }, y, text: { field: 'numbers', type: 'nominal' } },
  };
}

function markOf(row: FlatRow, rows: readonly FlatRow[]): Mark {
  const { ratio, low, high } = row as { ratio?: number; low?: number; high?: number };
  const lost = lostTrials(row);
  const n = Number(row.n);
  const counts = [`n = ${n}`, ...lost].join(', ');
  const margin = typeof row.margin === 'number' ? { margin: row.margin } : {};
  const base = { panel: panelKey(row, pointWords(row, rows)), policy: policyName(row), n, ...margin };
  if (ratio === undefined) {
    const words = `no ratio: ${lost.length === 0 ? 'no pair of positive values' : lost.join(', ')}`;
    return { ...base, numbers: `n = ${n}`, words };
  }
  const look = lookOf(row);
  if (low === undefined || high === undefined) {
    return { ...base, numbers: `${ratioWords(ratio)}, ${counts}`, look, ratio };
  }
  const interval = `${ratioWords(ratio)} (${ratioWords(low)} to ${ratioWords(high)})`;
  return { ...base, numbers: `${interval}, ${counts}`, look, ratio, low, high };
}

/** What makes a panel: title, then its parameters on a line of their own. */
function panelKey(row: FlatRow, at: string): string {
  const variant = row.variant === 'default' ? '' : `${row.variant}`.replaceAll(',', ', ');
  const metric =
    row.metric === undefined
      ? 'no metric was measured'
      : `${row.metric} (${row.unit}, ${row.direction} is better)`;
  return `${row.workload}${at} on ${row.engine}: ${metric}\n${variant}`;
}

function titleOf(key: string): [text: string, subtitle: string] {
  const [text = '', subtitle = ''] = key.split('\n');
  return [text, subtitle];
}

function subtitleOf(rows: readonly FlatRow[]): string[] {
  const counts = rows
    .filter((row) => row.role !== 'baseline' && row.ratio !== undefined)
    .map((row) => Number(row.n));
  const band = rows.some((row) => row.margin !== undefined) ? 'Grey band: what counts as equivalent. ' : '';
  return [
    `Geometric mean over blocks, each paired with the baseline (${countWords(counts)} pairs), and its 95 % interval.`,
    'Intervals: paired t on logarithms, of each cell alone. Verdicts: corrected over all cells.',
    `${band}Each panel has its own range.`,
  ];
}
