// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { pointWords } from '../../analysis/tables/point-words.ts';
import type { ScalingRow } from '../../analysis/tables/scaling-rows.ts';
import { byPolicy, type PolicyPart, policyParts } from './policies.ts';
import { logTicks } from './ratio-axis.ts';
import { countWords, type FigureInput, panelTitle, sheet, unique } from './style.ts';

const PANEL = { width: 300, height: 200 } as const;

/**
 * Scaling curves: the metric over the number that is varied, a line for each policy, a panel for each sweep and six
 * policies besides the baseline. Pure: equal rows give an equal spec. Undefined when nothing was varied.
 */
export function scalingCurves(rows: readonly ScalingRow[], given: FigureInput): TopLevelSpec | undefined {
  const swept = unique(rows.map(groupKey)).filter(
    (key) => unique(rows.filter((row) => groupKey(row) === key).map(({ step }) => step)).length > 1,
  );
  if (swept.length === 0) return undefined;
  const shown = rows.filter((row) => swept.includes(groupKey(row)));
  return sheet(
    `${given.run}: how it scales`,
    [
      `Median over blocks (${countWords(shown.map(({ n }) => n))} at each point); bars: least and greatest block. Log axes.`,
    ],
    {
      columns: 2,
      spacing: 28,
      resolve: { scale: { color: 'independent', shape: 'independent', strokeDash: 'independent' } },
      concat: swept.flatMap((key) => {
        const own = rows.filter((row) => groupKey(row) === key);
        return policyParts(unique(own.map(({ policy }) => policy)), given).map((part) =>
          panelOf(own, part, rows),
        );
      }),
    },
  );
}

function panelOf(group: readonly ScalingRow[], part: PolicyPart, rows: readonly ScalingRow[]) {
  const [first] = group as [ScalingRow];
  const values = group.filter(({ policy }) => part.policies.includes(policy));
  const steps = unique(group.map(({ step }) => step)).sort((a, b) => a - b);
  const x = {
    field: 'step',
    type: 'quantitative',
    scale: {
      type: (steps[0] as number) > 0 ? 'log' : 'linear',
      domain: [steps[0], steps.at(-1)],
      padding: 12,
      nice: false,
    },
    axis: { title: first.sweep, values: steps, format: '~g', grid: false },
  } as const;
  const domain = valueDomain(group);
  const positive = domain[0] > 0;
  const y = {
    type: 'quantitative',
    scale: { type: positive ? 'log' : 'linear', domain },
    axis: {
      title: `${first.metric} (${first.unit}, ${first.direction} is better)`,
      format: ',~g',
      ...(positive ? { values: logTicks(domain) } : {}),
    },
  } as const;
  const color = byPolicy(part, ['color']);
  return {
    ...PANEL,
    title: {
      ...panelTitle(
        `${first.workload}${pointWords(first, rows)} on ${first.engine}`,
        first.variant === 'default' ? '' : first.variant.replaceAll(',', ', '),
      ),
      frame: 'group',
    },
    data: { values },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 1 },
        encoding: { x, y: { field: 'least', ...y }, y2: { field: 'most' }, ...color },
      },
      {
        mark: { type: 'line', strokeWidth: 1.6 },
        encoding: { x, y: { field: 'median', ...y }, ...color },
      },
      {
        mark: { type: 'point', filled: true, size: 45, opacity: 1 },
        encoding: {
          x,
          y: { field: 'median', ...y },
          ...byPolicy(part, ['color', 'shape']),
          tooltip: [
            { field: 'policy', type: 'nominal' },
            { field: 'step', type: 'quantitative', title: first.sweep },
            {
              field: 'median',
              type: 'quantitative',
              title: `${first.metric} (${first.unit})`,
              format: '.4~g',
            },
            { field: 'n', type: 'quantitative' },
          ],
        },
      },
    ],
  };
}

function groupKey(row: ScalingRow): string {
  return JSON.stringify([row.engine, row.workload, row.variant, row.point, row.sweep, row.metric]);
}

function valueDomain(rows: readonly ScalingRow[]): [number, number] {
  const low = rows.reduce((a, { least }) => Math.min(a, least), Number.POSITIVE_INFINITY);
  const high = rows.reduce((a, { most }) => Math.max(a, most), Number.NEGATIVE_INFINITY);
  if (low <= 0) return [Math.min(0, low), high];
  const room = Math.max(1.05, (high / low) ** 0.06);
  return [low / room, high * room];
}
