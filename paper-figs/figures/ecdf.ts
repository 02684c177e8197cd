// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import type { DistributionRow } from '../../analysis/tables/distribution-rows.ts';
import { pointWords } from '../../analysis/tables/point-words.ts';
import { byPolicy, type PolicyPart, policyParts } from './policies.ts';
import { logTicks } from './ratio-axis.ts';
import { countWords, type FigureInput, GREY, panelTitle, policyName, sheet, unique } from './style.ts';

const PANEL = { width: 320, height: 190 } as const;
/** The tail's axis ends where fewer than one in so many values is left. */
const LEAST_SHARE = 1e-4;
/** Rows of panels on a page in print. */
const PAGE = 4;

/**
 * Empirical distribution functions of latencies, merged over blocks: left the share of values below, right the share
 * above on a logarithmic axis, where the tail is seen. A row of panels for each distribution and seven policies, the
 * baseline in each. Pure: equal rows give an equal spec. Undefined when no trial told a distribution.
 */
export function latencyEcdf(rows: readonly DistributionRow[], given: FigureInput): TopLevelSpec | undefined {
  if (rows.length === 0) return undefined;
  const groups = unique(rows.map(groupKey));
  const trials = rows.map((row) => row.trials);
  return sheet(
    `${given.run}: how latencies are distributed`,
    [
      `All values of all completed trials of a policy (${countWords(trials)} trials each), merged from the trials' own histograms;`,
      'a bucket is at most 3 % wide. Left: share of values below. Right: share above, so that the tail can be read.',
    ],
    {
      spacing: 26,
      vconcat: groups.flatMap((group) => {
        const own = rows.filter((row) => groupKey(row) === group);
        const [first] = own as [DistributionRow];
        const title = `${first.workload}${pointWords(first, rows)} on ${first.engine}: ${nameOf(first)} (${first.unit})`;
        return policyParts(unique(own.map(policyName)), given).map((part) => ({
          title: panelTitle(title, first.variant === 'default' ? '' : first.variant.replaceAll(',', ', ')),
          spacing: 24,
          hconcat: [panelOf('below', own, part), panelOf('above', own, part)],
        }));
      }),
      resolve: { scale: { color: 'independent', strokeDash: 'independent' } },
    },
  );
}

/** The rows of each page: whole distributions, a page's height of panels at most. */
export function ecdfPages(rows: readonly DistributionRow[], given: FigureInput): DistributionRow[][] {
  const pages: DistributionRow[][] = [];
  let room = 0;
  for (const own of Map.groupBy(rows, groupKey).values()) {
    const panels = policyParts(unique(own.map(policyName)), given).length;
    if (panels > room) {
      pages.push([]);
      room = Math.max(PAGE, panels);
    }
    pages.at(-1)?.push(...own);
    room -= panels;
  }
  return pages;
}

function panelOf(side: 'below' | 'above', rows: readonly DistributionRow[], part: PolicyPart) {
  const own = rows.filter((row) => part.policies.includes(policyName(row)));
  const [first] = own as [DistributionRow];
  const values = own.flatMap((row) => {
    const policy = policyName(row);
    return curveOf(row, side).map(({ value, share }) => ({
      policy,
      value: digits(value),
      share: digits(share),
    }));
  });
  const domain = rangeOf(rows);
  const name = nameOf(first);
  const x = {
    field: 'value',
    type: 'quantitative',
    scale: { type: 'log', domain },
    axis: { title: `${name} (${first.unit}, log scale)`, values: logTicks(domain), format: ',~g' },
  } as const;
  const y =
    side === 'below'
      ? ({
          scale: { domain: [0, 1] },
          axis: { title: 'share of values below', format: '.0%', tickCount: 5 },
        } as const)
      : ({
          scale: { type: 'log', domain: [LEAST_SHARE, 1], clamp: true },
          axis: {
            title: 'share of values above (log scale)',
            values: [1, 0.1, 0.01, 0.001, 0.0001],
            format: '~%',
          },
        } as const);
  return {
    ...PANEL,
    layer: [
      {
        data: {
          values: [{ share: side === 'below' ? 0.5 : 0.01, words: side === 'below' ? 'median' : 'p99' }],
        },
        encoding: { y: { field: 'share', type: 'quantitative', ...y } },
        layer: [
          { mark: { type: 'rule', color: GREY, strokeDash: [2, 3] } },
          {
            mark: { type: 'text', align: 'right', dy: -6, dx: -4, fontSize: 9, color: GREY },
            encoding: { x: { value: 'width' }, text: { field: 'words', type: 'nominal' } },
          },
        ],
      },
      {
        data: { values },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.6, clip: true },
        encoding: {
          x,
          y: { field: 'share', type: 'quantitative', ...y },
          ...byPolicy(part, ['color', 'strokeDash']),
          tooltip: [
            { field: 'policy', type: 'nominal' },
            { field: 'value', type: 'quantitative', title: `${name} (${first.unit})`, format: '.4~g' },
            { field: 'share', type: 'quantitative', title: `share ${side}`, format: '.3~%' },
          ],
        },
      },
    ],
  };
}

function groupKey(row: DistributionRow): string {
  return JSON.stringify([row.engine, row.workload, row.variant, row.point, row.metric]);
}

/** The steps that can be seen: those that move the curve by half a pixel or more, and its ends. */
function curveOf({ steps }: DistributionRow, side: 'below' | 'above'): DistributionRow['steps'] {
  const decades = -Math.log10(LEAST_SHARE);
  const height = (share: number) => PANEL.height * (side === 'below' ? share : Math.log10(share) / decades);
  // Nothing is above the greatest value, and a logarithmic axis has no place for it.
  const curve =
    side === 'below'
      ? steps
      : steps.flatMap(({ value, share }) =>
          1 - share < LEAST_SHARE / 2 ? [] : [{ value, share: 1 - share }],
        );
  let drawn = Number.NEGATIVE_INFINITY;
  return curve.filter(({ share }, at) => {
    const seen = Math.abs(height(share) - drawn) >= 0.5 || at === curve.length - 1;
    if (seen) drawn = height(share);
    return seen;
  });
}

/** More digits than can be drawn would only make the spec long. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}

/** `wakeup` of `wakeup_p99`: what is distributed. */
function nameOf({ metric }: DistributionRow): string {
  return metric.replace(/_p\d+$/, '');
}

/** From where any policy has a half per cent of its values behind it: a few zeros must not squeeze all the rest. */
function rangeOf(rows: readonly DistributionRow[]): [number, number] {
  const starts = rows.flatMap(
    ({ steps }) => steps.find(({ value, share }) => value > 0 && share >= 0.005)?.value ?? [],
  );
  const low = starts.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = rows.reduce((most, { steps }) => Math.max(most, steps.at(-1)?.value ?? 0), 0);
  return high > low ? [low, high] : [high / 2, high * 2];
}
