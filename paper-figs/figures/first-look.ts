// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { pointWords } from '../../analysis/tables/point-words.ts';
import type { FlatRow } from '../../analysis/tables/table-rows.ts';
import { logTicks, ratioDomain } from './ratio-axis.ts';

/** Okabe and Ito's colours, told apart in every common colour blindness; shapes repeat what they say. */
const LOOKS = {
  better: { colour: '#0072B2', shape: 'circle' },
  worse: { colour: '#D55E00', shape: 'square' },
  equivalent: { colour: '#009E73', shape: 'triangle-up' },
  undecided: { colour: '#595959', shape: 'diamond' },
  'no interval': { colour: '#595959', shape: 'cross' },
} as const;
const LOOK_OF = ['better', 'worse', 'equivalent', 'undecided'] as const;
const LEGEND = { title: null, orient: 'bottom', symbolSize: 70 } as const;
type Look = keyof typeof LOOKS;

interface Mark {
  readonly panel: string;
  readonly label: string;
  readonly look?: Look;
  readonly ratio?: number;
  readonly low?: number;
  readonly high?: number;
  /** What stands in the place of a ratio that does not exist. */
  readonly words?: string;
}

/** Pixels between two policies. */
const STEP = 18;

/**
 * Ratio of each policy's metric to the baseline's with its interval, a panel with a logarithmic axis for each
 * workload. A pure function of the table's flat rows: equal rows give an equal spec.
 */
export function firstLook(
  rows: readonly FlatRow[],
  given: { readonly run: string; readonly baseline: string },
): TopLevelSpec {
  const marks = rows.filter((row) => row.role !== 'baseline').map((row) => markOf(row, rows));
  const looks = (Object.keys(LOOKS) as Look[]).filter((look) => marks.some((mark) => mark.look === look));
  const panels = [...new Set(marks.map(({ panel }) => panel))];
  if (panels.length === 0) panels.push(`no policy besides ${given.baseline} in this run`);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: `${given.run}: ratio to ${given.baseline}`,
      subtitle: subtitleOf(rows),
      anchor: 'start',
      offset: 14,
    },
    spacing: 22,
    vconcat: panels.map((panel, at) => ({
      title: panelTitle(panel),
      ...panelOf({
        marks: marks.filter((mark) => mark.panel === panel),
        looks,
        axisTitle:
          at === panels.length - 1
            ? `metric / metric under ${given.baseline} (no unit; log scale, a range for each panel)`
            : null,
      }),
    })),
    config: {
      font: 'DejaVu Sans',
      background: '#ffffff',
      view: { stroke: '#dddddd' },
      axis: { gridColor: '#eeeeee', labelFontSize: 10, titleFontSize: 10, titleFontWeight: 'normal' },
      title: { fontSize: 14, subtitleFontSize: 10, subtitleColor: '#595959', subtitlePadding: 5 },
    },
  };
}

function panelOf(given: {
  readonly marks: readonly Mark[];
  readonly looks: readonly Look[];
  readonly axisTitle: string | null;
}) {
  const { marks, looks, axisTitle } = given;
  // A range for each panel: one latency that is ten times worse must not flatten all other panels.
  const domain = ratioDomain(marks.flatMap(({ ratio, low, high }) => [ratio, low, high]));
  // Words go where the line at 1 leaves more room.
  const wordsRight = domain[0] * domain[1] >= 1;
  const axis = { title: axisTitle, values: logTicks(domain), format: '~g', grid: true } as const;
  const x = { type: 'quantitative', scale: { type: 'log', domain }, axis } as const;
  const y = {
    field: 'label',
    type: 'nominal',
    // In the table's order.
    scale: { domain: marks.map(({ label }) => label) },
    axis: { title: null, domain: false, ticks: false, labelLimit: 260, labelPadding: 8 },
  } as const;
  const byLook = (range: string[]) =>
    ({ field: 'look', type: 'nominal', scale: { domain: [...looks], range }, legend: LEGEND }) as const;
  const color = byLook(looks.map((look) => LOOKS[look].colour));
  const shape = byLook(looks.map((look) => LOOKS[look].shape));
  return {
    width: 560,
    height: STEP * marks.length,
    data: { values: [...marks] },
    layer: [
      {
        data: { values: [{ ratio: 1 }] },
        mark: { type: 'rule', stroke: '#000000', strokeDash: [3, 3], strokeWidth: 1 },
        encoding: { x: { field: 'ratio', ...x } },
      },
      {
        transform: [{ filter: 'isValid(datum.low)' }],
        mark: { type: 'rule', strokeWidth: 2, strokeCap: 'round' },
        encoding: { x: { field: 'low', ...x }, x2: { field: 'high' }, y, color },
      },
      {
        transform: [{ filter: 'isValid(datum.ratio)' }],
        mark: { type: 'point', filled: true, size: 55, opacity: 1 },
        encoding: { x: { field: 'ratio', ...x }, y, color, shape },
      },
      {
        transform: [{ filter: 'isValid(datum.words)' }],
        mark: {
          type: 'text',
          align: wordsRight ? 'left' : 'right',
          dx: wordsRight ? 6 : -6,
          fontStyle: 'italic',
          fontSize: 10,
          color: '#595959',
        },
        encoding: { x: { datum: 1, ...x }, y, text: { field: 'words', type: 'nominal' } },
      },
    ],
  } satisfies TopLevelSpec;
}

function markOf(row: FlatRow, rows: readonly FlatRow[]): Mark {
  const { ratio, low, high } = row as { ratio?: number; low?: number; high?: number };
  const name = row.role === 'aa' ? `${row.policy} (A/A)` : `${row.policy}`;
  const lost = lostTrials(row);
  const panel = panelKey(row, pointWords(row, rows));
  if (ratio === undefined) {
    const words = `no ratio: ${lost.length === 0 ? 'no pair of positive values' : lost.join(', ')}`;
    return { panel, label: `${name} (n = ${row.n})`, words };
  }
  const base = { panel, label: `${name} (${[`n = ${row.n}`, ...lost].join(', ')})` };
  if (low === undefined || high === undefined) return { ...base, look: 'no interval', ratio };
  const look = LOOK_OF.find((each) => each === row.verdict) ?? 'undecided';
  return { ...base, look, ratio, low, high };
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

function panelTitle(key: string) {
  const [text = '', subtitle = ''] = key.split('\n');
  return {
    text,
    ...(subtitle === '' ? {} : { subtitle }),
    fontSize: 11,
    subtitleFontSize: 9,
    anchor: 'start',
    frame: 'bounds',
    offset: 6,
  } as const;
}

/** How trials ended that gave no value, in words; empty when all are there. */
function lostTrials(row: FlatRow): string[] {
  const ends = (['failed', 'ejected', 'refused', 'timed-out', 'crashed'] as const)
    .filter((state) => row[state] !== 0)
    .map((state) => `${row[state]} ${state}`);
  const missing = Number(row.planned) - Number(row.recorded);
  return missing > 0 ? [...ends, `${missing} not run yet`] : ends;
}

function subtitleOf(rows: readonly FlatRow[]): string[] {
  const counts = rows
    .filter((row) => row.role !== 'baseline' && row.ratio !== undefined)
    .map((row) => Number(row.n));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const n = counts.length === 0 ? 'no pairs' : least === most ? `n = ${least}` : `n = ${least} to ${most}`;
  return [
    `Geometric mean over blocks, each paired with the baseline (${n} pairs).`,
    'Bars: 95 % paired t interval on logarithms, of each cell alone.',
  ];
}
