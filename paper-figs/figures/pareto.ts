// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import type { ObjectiveRow } from '../../analysis/objectives/objective-rows.ts';
import { pointWords } from '../../analysis/tables/point-words.ts';
import { type Label, placeLabels } from './place-labels.ts';
import { logTicks, ratioDomain } from './ratio-axis.ts';
import { countWords, type FigureNames, GREY, panelTitle, sheet, unique } from './style.ts';

const PANEL = { width: 250, height: 190 } as const;
/** More policies than this would hide each other's names: only those on the front are named then. */
const MOST_NAMED = 8;
const PAGE = 12;

/** On the front, dominated, or out of it because trials failed. */
const LOOKS = {
  'on the front': { colour: '#0072B2', shape: 'circle' },
  dominated: { colour: '#8a8a8a', shape: 'square' },
  'not judged: failures': { colour: '#D55E00', shape: 'cross' },
} as const;
type Look = keyof typeof LOOKS;

interface Mark {
  readonly policy: string;
  readonly look: Look;
  readonly x: number;
  readonly y: number;
  readonly n: number;
  readonly x_low?: number;
  readonly x_high?: number;
  readonly y_low?: number;
  readonly y_high?: number;
}

/** One workload and two of its objectives. */
interface Pair {
  readonly x: ObjectiveRow;
  readonly y: ObjectiveRow;
  readonly marks: readonly Mark[];
}

/**
 * Trade-offs: the first objective of a workload against each of its others, as costs over the baseline's, a point for each policy.
 * The front is over all objectives of the workload. Pure: equal rows give an equal spec. Undefined when no workload has two objectives.
 */
export function paretoPlot(rows: readonly ObjectiveRow[], given: FigureNames): TopLevelSpec | undefined {
  const pairs = pairsOf(rows);
  if (pairs.length === 0) return undefined;
  const looks = (Object.keys(LOOKS) as Look[]).filter((look) =>
    pairs.some(({ marks }) => marks.some((mark) => mark.look === look)),
  );
  const counts = pairs.flatMap(({ marks }) => marks.map(({ n }) => n));
  return sheet(
    `${given.run}: what is gained, and at what cost`,
    [
      `Cost over the cost under ${given.baseline}, lower is better on both axes (geometric mean over blocks, ${countWords(counts)}); thin bars: 95 % intervals.`,
      'On the front: no other policy is at least as good in every objective of the workload and better in one.',
    ],
    { columns: 3, spacing: 28, concat: pairs.map((pair) => panelOf(pair, looks, rows)) },
  );
}

/** The rows of each page: whole workloads, a dozen panels at most. */
export function paretoPages(rows: readonly ObjectiveRow[]): ObjectiveRow[][] {
  const pages: ObjectiveRow[][] = [];
  let room = 0;
  for (const own of Map.groupBy(rows, placeKey).values()) {
    const panels = pairsOf(own).length;
    if (panels === 0) continue;
    if (panels > room) {
      pages.push([]);
      room = PAGE;
    }
    pages.at(-1)?.push(...own);
    room -= panels;
  }
  return pages;
}

function pairsOf(rows: readonly ObjectiveRow[]): Pair[] {
  return [...Map.groupBy(rows, placeKey).values()].flatMap((own) => {
    const [first, ...others] = unique(own.map(({ objective }) => objective));
    return others.flatMap((other): Pair[] => {
      const marks = unique(own.map(({ policy }) => `${policy}`)).flatMap((policy) => {
        const of = (objective: typeof first) =>
          own.find((row) => row.policy === policy && row.objective === objective);
        return markOf(of(first), of(other));
      });
      const at = (objective: typeof first) =>
        own.find((row) => row.objective === objective && row.metric !== undefined) as ObjectiveRow;
      return marks.length < 2 ? [] : [{ x: at(first), y: at(other), marks }];
    });
  });
}

function markOf(x: ObjectiveRow | undefined, y: ObjectiveRow | undefined): Mark[] {
  if (typeof x?.cost !== 'number' || typeof y?.cost !== 'number') return [];
  const look =
    x.on_front === 'yes' ? 'on the front' : x.on_front === 'no' ? 'dominated' : 'not judged: failures';
  const ends = { x_low: x.cost_low, x_high: x.cost_high, y_low: y.cost_low, y_high: y.cost_high };
  const known = Object.fromEntries(Object.entries(ends).filter(([, end]) => typeof end === 'number'));
  return [
    { policy: `${x.policy}`, look, x: x.cost, y: y.cost, n: Math.min(Number(x.n), Number(y.n)), ...known },
  ];
}

function panelOf({ x, y, marks }: Pair, looks: readonly Look[], rows: readonly ObjectiveRow[]) {
  const domain = {
    x: ratioDomain(marks.flatMap((mark) => [mark.x, mark.x_low, mark.x_high])),
    y: ratioDomain(marks.flatMap((mark) => [mark.y, mark.y_low, mark.y_high])),
  };
  const axis = (side: 'x' | 'y', row: ObjectiveRow) =>
    ({
      type: 'quantitative',
      scale: { type: 'log', domain: domain[side] },
      axis: { title: axisTitle(row), values: logTicks(domain[side]), format: '~g', grid: false },
    }) as const;
  const at = { x: axis('x', x), y: axis('y', y) };
  const scale = { domain: [...looks], range: looks.map((look) => LOOKS[look].colour) };
  const legend = { title: null, orient: 'bottom', symbolSize: 60 } as const;
  const color = { field: 'look', type: 'nominal', scale, legend } as const;
  const shape = { ...color, scale: { ...scale, range: looks.map((look) => LOOKS[look].shape) } } as const;
  const named = marks.length <= MOST_NAMED ? marks : marks.filter(({ look }) => look === 'on the front');
  const placed = placeLabels(named, domain, PANEL);
  const labels = (['left', 'right'] as const)
    .map((align) => placed.filter((label) => label.align === align))
    .filter((own) => own.length > 0);
  const bar = (low: string, high: string, side: 'x' | 'y') => ({
    transform: [{ filter: `isValid(datum.${low}) && isValid(datum.${high})` }],
    mark: { type: 'rule', strokeWidth: 1, opacity: 0.5, color: GREY },
    encoding: {
      ...{ x: { field: 'x', ...at.x }, y: { field: 'y', ...at.y } },
      [side]: { field: low, ...at[side] },
      [`${side}2`]: { field: high },
    },
  });
  const one = (side: 'x' | 'y') => ({
    data: { values: [{ one: 1 }] },
    mark: { type: 'rule', strokeDash: [3, 3], color: '#000000' },
    encoding: { [side]: { field: 'one', ...at[side] } },
  });
  return {
    ...PANEL,
    title: { ...panelTitle(titleOf(x, rows), variantOf(x)), frame: 'group' },
    data: { values: marks },
    layer: [
      one('x'),
      one('y'),
      bar('x_low', 'x_high', 'x'),
      bar('y_low', 'y_high', 'y'),
      // White around the names, beneath the points that it would hide.
      ...labels.map((own) => nameLayer(own, at, { stroke: '#ffffff', strokeWidth: 3, strokeJoin: 'round' })),
      {
        mark: { type: 'point', filled: true, size: 55, opacity: 1 },
        encoding: {
          ...{ x: { field: 'x', ...at.x }, y: { field: 'y', ...at.y }, color, shape },
          tooltip: [
            { field: 'policy', type: 'nominal' },
            { field: 'x', type: 'quantitative', title: axisTitle(x), format: '.4~g' },
            { field: 'y', type: 'quantitative', title: axisTitle(y), format: '.4~g' },
            { field: 'look', type: 'nominal', title: 'front' },
            { field: 'n', type: 'quantitative' },
          ],
        },
      },
      ...labels.map((own) => nameLayer(own, at, {})),
    ],
  };
}

/** Names, or the white around them that keeps them readable on lines. */
function nameLayer(labels: readonly Label[], at: { readonly x: object; readonly y: object }, look: object) {
  const align = labels[0]?.align ?? 'left';
  return {
    data: { values: labels },
    mark: {
      type: 'text',
      align,
      fontSize: 9,
      dx: align === 'left' ? 7 : -7,
      dy: { expr: 'datum.dy' },
      ...look,
    },
    encoding: {
      ...{ x: { field: 'x', ...at.x }, y: { field: 'y', ...at.y } },
      text: { field: 'policy', type: 'nominal' },
    },
  };
}

/** A metric that follows from a model is named by that: its own name would say the objective once more. */
function axisTitle({ objective, metric, modelled }: ObjectiveRow): string {
  return `cost in ${objective} (${modelled === 'modelled' ? 'modelled' : metric}; no unit)`;
}

function titleOf(row: ObjectiveRow, rows: readonly ObjectiveRow[]): string {
  return `${row.workload}${pointWords(row, rows)} on ${row.engine}`;
}

/** Two lines of parameters would be wider than the panel. */
function variantOf({ variant }: ObjectiveRow): string {
  const words = variant === 'default' ? '' : `${variant}`.replaceAll(',', ', ');
  return words.length <= 52 ? words : `${words.slice(0, 50)}\u2026`;
}

function placeKey(row: ObjectiveRow): string {
  return JSON.stringify([row.engine, row.workload, row.variant, row.point]);
}
