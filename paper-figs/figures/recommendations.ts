// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { PICKERS, type PickRow } from '../../analysis/policy-map/evaluate/pick-rows.ts';
import { logTicks, ratioDomain } from './ratio-axis.ts';
import { sheet, unique } from './style.ts';

const LOOKS = {
  'the map': { colour: '#0072B2', shape: 'circle' },
  'best single policy': { colour: '#E69F00', shape: 'triangle-up' },
  'best of all': { colour: '#000000', shape: 'M0,-1V1' },
} as const satisfies Record<(typeof PICKERS)[number], object>;

/** What each pick costs on each workload, over EEVDF's cost. Pure: equal rows give an equal spec. Undefined without rows. */
export function recommendationPlot(rows: readonly PickRow[], name: string): TopLevelSpec | undefined {
  if (rows.length === 0) return undefined;
  const values = rows.map((row) => ({ ...row, situation: situationOf(row, rows) }));
  const domain = ratioDomain(rows.map(({ ratio }) => ratio));
  const situations = unique(values.map(({ situation }) => situation));
  const y = { field: 'situation', type: 'nominal', sort: situations, title: null } as const;
  const x = {
    type: 'quantitative',
    scale: { type: 'log', domain },
    axis: { title: "cost over EEVDF's (no unit; lower is better)", values: logTicks(domain), format: '~g' },
  } as const;
  const scale = (channel: 'colour' | 'shape') => ({
    domain: [...PICKERS],
    range: PICKERS.map((picker) => LOOKS[picker][channel]),
  });
  const legend = { title: null, orient: 'bottom', symbolSize: 70, symbolStrokeWidth: 2 } as const;
  const alone = rows.filter(({ picker, policy }) => picker === 'the map' && policy === 'eevdf').length;
  return sheet(
    `${name}: what recommendations cost on workloads that the map has not seen`,
    [
      `A row for each situation (n = ${situations.length}), everything of its workload left out. The map left EEVDF alone in ${alone}.`,
      'Best single policy: chosen on the other workloads. Best of all: who knows the answer. A pick that failed counts as the dearest policy.',
    ],
    {
      width: 420,
      height: { step: 17 },
      layer: [
        {
          data: { values: [{ one: 1 }] },
          mark: { type: 'rule', strokeDash: [3, 3], color: '#000000' },
          encoding: { x: { field: 'one', ...x } },
        },
        {
          data: { values },
          mark: { type: 'point', filled: false, size: 60, opacity: 1, strokeWidth: 2 },
          encoding: {
            y,
            x: { field: 'ratio', ...x },
            color: { field: 'picker', type: 'nominal', scale: scale('colour'), legend },
            shape: { field: 'picker', type: 'nominal', scale: scale('shape'), legend },
            tooltip: [
              { field: 'situation', type: 'nominal' },
              { field: 'picker', type: 'nominal' },
              { field: 'policy', type: 'nominal' },
              { field: 'ratio', type: 'quantitative', format: '.3f' },
            ],
          },
        },
      ],
    },
  );
}

/** The workload, and its parameters where it has several. */
function situationOf({ workload, variant }: PickRow, rows: readonly PickRow[]): string {
  const several = rows.some((other) => other.workload === workload && other.variant !== variant);
  return several ? `${workload} ${variant}` : workload;
}
