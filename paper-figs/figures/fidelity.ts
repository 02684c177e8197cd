// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import type { FidelityRow } from '../../analysis/fidelity/fidelity-rows.ts';
import { logTicks, ratioDomain } from './ratio-axis.ts';

/** Okabe and Ito's colours, told apart in every common colour blindness; shapes repeat what they say. */
const COLOURS = ['#000000', '#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'];
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'stroke'];
const PANEL = { width: 190, height: 130 } as const;
const WORDS_WIDTH = 30;

export interface FidelityFigureInput {
  readonly name: string;
  readonly baseline: string;
  readonly blocks: number;
  /** Columns of the figure, in order; one that does not work stays empty and says why. */
  readonly engines: readonly { readonly engine: string; readonly works: boolean; readonly why: string }[];
}

/**
 * Scaling curves: a row of panels for each sweep, a column for each engine, a line for each policy; what is measured
 * over its value at the first step. Pure: equal rows give an equal spec. Undefined when nothing was swept.
 */
export function scalingFigure(
  rows: readonly FidelityRow[],
  given: FidelityFigureInput,
): TopLevelSpec | undefined {
  const swept = rows.filter((row) => row.sweep !== undefined && row.step !== undefined);
  if (swept.length === 0) return undefined;
  const policies = unique(swept.map((row) => `${row.policy}`));
  return figure(
    `${given.name}: how each engine scales`,
    [
      `Median over blocks (n = ${rangeOf(swept)}) over the median at the first step, under the same policy.`,
      'Log axes, the same for all engines of a row.',
    ],
    unique(swept.map((row) => `${row.workload}`)).map((workload) => {
      const own = swept.filter((row) => row.workload === workload);
      const { sweep, metric, unit } = own.find((row) => row.metric !== undefined) ?? (own[0] as FidelityRow);
      const steps = unique(own.map((row) => Number(row.step))).sort((a, b) => a - b);
      const y = ratioDomain(own.map((row) => numberOf(row.scaled)));
      return given.engines.map((engine, column) => {
        const values = own.flatMap((row) =>
          row.engine === engine.engine && typeof row.scaled === 'number'
            ? [{ policy: row.policy, step: row.step, scaled: row.scaled }]
            : [],
        );
        const scale = { type: 'log', domain: [steps[0] as number, Math.max(...steps)] } as const;
        return panel({
          title: `${workload} on ${engine.engine}`,
          values,
          why: engine.why,
          mark: { type: 'line', point: { filled: true, size: 45 } },
          policies,
          x: { field: 'step', scale, axis: { title: sweep, values: steps, format: '~g' } },
          y: {
            field: 'scaled',
            scale: { type: 'log', domain: y },
            axis: {
              title: column === 0 ? [`${metric} (${unit})`, 'over first step'] : null,
              values: logTicks(y),
              format: '~g',
            },
          },
        });
      });
    }),
  );
}

/**
 * Each policy's ratio to the baseline on an engine against that on the first engine that works, a panel for each other engine.
 * Undefined when there is no other engine, or the first has no ratios.
 */
export function ratioFigure(
  rows: readonly FidelityRow[],
  given: FidelityFigureInput,
): TopLevelSpec | undefined {
  const first = given.engines.find(({ works }) => works);
  const others = given.engines.filter((engine) => engine !== first);
  const ratios = rows.filter((row) => typeof row.ratio === 'number');
  if (first === undefined || others.length === 0 || ratios.length === 0) return undefined;
  // The baseline keeps its place in the colours, so that a policy looks the same in both figures.
  const all = unique(rows.map((row) => `${row.policy}`));
  const policies = all.filter((policy) => ratios.some((row) => row.policy === policy));
  const domain = ratioDomain(ratios.map((row) => numberOf(row.ratio)));
  const axis = (title: string) => ({
    scale: { type: 'log', domain },
    axis: { title, values: logTicks(domain), format: '~g' },
  });
  const key = (row: FidelityRow) => `${row.workload} ${row.variant} ${row.policy}`;
  const known = new Map(
    ratios.filter((row) => row.engine === first.engine).map((row) => [key(row), row.ratio]),
  );
  if (known.size === 0) return undefined;
  return figure(
    `${given.name}: ratio to ${given.baseline}, engine against engine`,
    [
      `A point for each workload and policy: geometric mean over blocks (n = ${rangeOf(ratios)} pairs).`,
      'On the line both engines say the same; in the upper left and lower right quarter they disagree about which is better.',
    ],
    [
      others.map((engine) => {
        const values = ratios.flatMap((row) => {
          const x = known.get(key(row));
          return row.engine === engine.engine && x !== undefined
            ? [{ policy: row.policy, x, y: row.ratio }]
            : [];
        });
        const why = engine.works ? 'no policy besides the built-in one' : engine.why;
        return panel({
          title: `${engine.engine} against ${first.engine}`,
          values,
          why,
          mark: { type: 'point', filled: true, size: 45, opacity: 0.85 },
          policies,
          colours: all,
          x: { field: 'x', ...axis(`ratio on ${first.engine}`) },
          y: { field: 'y', ...axis(`ratio on ${engine.engine}`) },
          guides: domain,
        });
      }),
    ],
  );
}

interface Panel {
  readonly title: string;
  readonly values: readonly object[];
  /** What an empty panel says. */
  readonly why: string;
  readonly mark: object;
  readonly policies: readonly string[];
  /** Policies in the order of colours and shapes; `policies` when absent. */
  readonly colours?: readonly string[];
  readonly x: object;
  readonly y: object;
  /** Draws the diagonal and the lines at 1 over this range. */
  readonly guides?: readonly [number, number];
}

function panel({ title, values, why, mark, policies, colours = policies, x, y, guides }: Panel): object {
  const heading = { text: title, fontSize: 11, anchor: 'start' };
  if (values.length === 0) {
    const text = {
      type: 'text',
      align: 'center',
      fontSize: 9,
      color: '#595959',
      text: wrapped(`empty: ${why}`),
    };
    return { ...PANEL, title: heading, data: { values: [{}] }, mark: text, encoding: {} };
  }
  const by = (range: readonly string[]) => ({
    field: 'policy',
    type: 'nominal',
    scale: {
      domain: policies,
      range: policies.map((policy) => range[colours.indexOf(policy) % range.length]),
    },
    legend: { title: null, orient: 'bottom', symbolSize: 60 },
  });
  const places = { x: { type: 'quantitative', ...x }, y: { type: 'quantitative', ...y } };
  const points = {
    mark,
    data: { values },
    encoding: { ...places, color: by(COLOURS), shape: by(SHAPES) },
  };
  if (guides === undefined) return { ...PANEL, title: heading, ...points };
  const [low, high] = guides;
  const line = (from: readonly [number, number], to: readonly [number, number], dash: readonly number[]) => ({
    mark: { type: 'line', color: '#595959', strokeWidth: 1, strokeDash: dash },
    data: { values: [from, to].map(([a, b]) => ({ x: a, y: b })) },
    encoding: places,
  });
  const layer = [
    line([low, low], [high, high], []),
    line([1, low], [1, high], [3, 3]),
    line([low, 1], [high, 1], [3, 3]),
    points,
  ];
  return { ...PANEL, title: heading, layer };
}

function figure(
  title: string,
  subtitle: readonly string[],
  rows: readonly (readonly object[])[],
): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, subtitle: [...subtitle], anchor: 'start', offset: 14 },
    spacing: 24,
    vconcat: rows.map((hconcat) => ({ spacing: 24, hconcat })),
    config: {
      font: 'DejaVu Sans',
      background: '#ffffff',
      view: { stroke: '#dddddd' },
      axis: { gridColor: '#eeeeee', labelFontSize: 9, titleFontSize: 9, titleFontWeight: 'normal' },
      title: { fontSize: 14, subtitleFontSize: 10, subtitleColor: '#595959', subtitlePadding: 5 },
    },
  } as TopLevelSpec;
}

/** `5`, or `3 to 5`: how many blocks the figures come from. */
function rangeOf(rows: readonly FidelityRow[]): string {
  const counts = rows.flatMap((row) => (typeof row.n === 'number' ? [row.n] : []));
  if (counts.length === 0) return '0';
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${least}` : `${least} to ${most}`;
}

function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.length - 1;
    if (`${lines[last]} ${word}`.length > WORDS_WIDTH && lines[last] !== '') lines.push(word);
    else lines[last] = `${lines[last]} ${word}`.trim();
  }
  return lines;
}

function numberOf(cell: string | number | undefined): number | undefined {
  return typeof cell === 'number' ? cell : undefined;
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
