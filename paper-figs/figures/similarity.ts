// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import type { SimilarityRows } from '../../analysis/features/similarity-rows.ts';
import { GREY, sheet } from './style.ts';

/**
 * Cosines of each workload's vectors: points to itself in another size or on another machine, bars to all other workloads. Pure: equal rows give an
 * equal spec. Undefined when no workload has two configurations, or there is but one workload.
 */
export function similarityPlot({ own, others }: SimilarityRows, name: string): TopLevelSpec | undefined {
  if (own.length === 0 || others.length === 0) return undefined;
  const order = [...others]
    .sort((a, b) => (a.workload < b.workload ? -1 : 1))
    .map(({ workload }) => workload);
  const y = { field: 'workload', type: 'nominal', sort: order, title: null } as const;
  const x = {
    type: 'quantitative',
    scale: { domain: [-1, 1] },
    axis: { title: 'cosine of two vectors (1: same direction)', tickCount: 9 },
  } as const;
  const kinds = [
    'itself in another size or on another machine',
    'other workloads: 5 to 95 %, median',
  ] as const;
  const color = {
    datum: kinds[0],
    scale: { domain: [...kinds], range: ['#0072B2', '#8a8a8a'] },
    legend: { title: null, orient: 'bottom', symbolType: 'square', labelLimit: 400 },
  } as const;
  const pairs = others.reduce((sum, { pairs: count }) => sum + count, 0) / 2;
  return sheet(
    `${name}: how alike vectors of workloads are`,
    [
      `Points: pairs of one workload in two configurations (n = ${own.length}). Bars: pairs with any other workload (n = ${pairs}).`,
      'Vectors that reflect the workload, not its scale, have their points right of the bars.',
    ],
    {
      width: 420,
      height: { step: 17 },
      layer: [
        {
          data: { values: others },
          mark: { type: 'bar', height: 7, opacity: 0.55 },
          encoding: {
            y,
            x: { field: 'low', ...x },
            x2: { field: 'high' },
            color: { ...color, datum: kinds[1] },
          },
        },
        {
          data: { values: others },
          mark: { type: 'tick', thickness: 2, size: 11, color: GREY },
          encoding: { y, x: { field: 'median', ...x } },
        },
        {
          data: { values: own },
          mark: { type: 'point', filled: true, size: 38, opacity: 0.85 },
          encoding: {
            y,
            x: { field: 'cosine', ...x },
            color,
            tooltip: [
              { field: 'workload', type: 'nominal' },
              { field: 'pair', type: 'nominal' },
              { field: 'cosine', type: 'quantitative', format: '.3f' },
            ],
          },
        },
      ],
    },
  );
}
