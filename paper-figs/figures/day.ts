// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import { sheet, unique } from './style.ts';

/** A stretch of a day: which phase it was, what it looked like to the daemon, or under which policy; seconds. */
export interface DayStretch {
  readonly band: 'phase' | 'looks like' | 'policy';
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** How fast an arm did a round's work: EEVDF's cost over the arm's. */
export interface DayPace {
  readonly arm: string;
  readonly phase: string;
  readonly from: number;
  readonly to: number;
  readonly speedup: number;
}

export interface DayFigure {
  readonly day: string;
  readonly block: number;
  readonly stretches: readonly DayStretch[];
  readonly paces: readonly DayPace[];
}

const WIDTH = 900;
/** Okabe and Ito; EEVDF, which is what there is without the daemon, recedes. */
const POLICY_COLOURS = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#D55E00', '#56B4E9', '#F0E442'];
const ARMS = ['auto', 'oracle'];
const ARM_COLOURS = ['#0072B2', '#8a8a8a'];
/** A label is drawn where its stretch is at least this share of the day for each of its letters. */
const SHARE_A_LETTER = 0.0065;

/**
 * A day as the daemon lived it: phases, what each window looked like, the policy in effect, and below how fast each round's work was done
 * over EEVDF, beside who knew everything beforehand. Pure: equal rows give an equal spec.
 */
export function dayFigure({ day, block, stretches, paces }: DayFigure): TopLevelSpec {
  const last = stretches.reduce((most, { to }) => Math.max(most, to), 0);
  const policies = unique(stretches.filter(({ band }) => band === 'policy').map(({ what }) => what)).sort();
  const others = policies.filter((policy) => policy !== 'eevdf');
  const colours = policies.map((policy) =>
    policy === 'eevdf'
      ? '#cfcfcf'
      : (POLICY_COLOURS[others.indexOf(policy) % POLICY_COLOURS.length] as string),
  );
  const x = {
    type: 'quantitative',
    scale: { domain: [0, last], nice: false },
  } as const;
  const y = {
    field: 'band',
    type: 'nominal',
    scale: { domain: ['phase', 'looks like', 'policy'], paddingInner: 0.2 },
    axis: { title: null, ticks: false, domain: false, labelPadding: 8 },
  } as const;
  const isPolicy = ({ band }: DayStretch) => band === 'policy';
  const labelled = stretches
    .filter(({ what, from, to }) => to - from >= what.length * SHARE_A_LETTER * last)
    .map((stretch) => ({ ...stretch, middle: (stretch.from + stretch.to) / 2 }));
  const bands = {
    width: WIDTH,
    height: 90,
    layer: [
      {
        data: { values: stretches.filter((stretch) => !isPolicy(stretch)) },
        mark: { type: 'rect', color: '#f2f2f2', stroke: '#8a8a8a', strokeWidth: 0.5 },
        encoding: { x: { field: 'from', ...x, axis: null }, x2: { field: 'to' }, y },
      },
      {
        data: { values: stretches.filter(isPolicy) },
        mark: { type: 'rect', stroke: '#ffffff', strokeWidth: 0.5, opacity: 0.6 },
        encoding: {
          x: { field: 'from', ...x, axis: null },
          x2: { field: 'to' },
          y,
          color: {
            field: 'what',
            type: 'nominal',
            scale: { domain: policies, range: colours },
            legend: { title: 'policy', orient: 'right', symbolType: 'square' },
          },
        },
      },
      {
        data: { values: labelled },
        mark: { type: 'text', fontSize: 8 },
        encoding: {
          x: { field: 'middle', ...x, axis: null },
          y,
          text: { field: 'what', type: 'nominal' },
        },
      },
    ],
  };
  const pace = {
    width: WIDTH,
    height: 200,
    layer: [
      {
        data: { values: stretches.filter(({ band }) => band === 'phase').slice(1) },
        mark: { type: 'rule', color: '#8a8a8a', strokeDash: [2, 3] },
        encoding: { x: { field: 'from', ...x } },
      },
      {
        data: { values: [{ at: 1 }] },
        mark: { type: 'rule', color: '#333333' },
        encoding: { y: { field: 'at', type: 'quantitative' } },
      },
      {
        data: { values: [...paces] },
        mark: { type: 'rule', strokeWidth: 2.5 },
        encoding: {
          x: {
            field: 'from',
            ...x,
            axis: { title: 'virtual time since the day began under the daemon (s)', grid: false },
          },
          x2: { field: 'to' },
          y: {
            field: 'speedup',
            type: 'quantitative',
            scale: { type: 'log', nice: false },
            axis: { title: 'pace of a round over EEVDF', format: '.3~r', tickCount: 6 },
          },
          color: {
            field: 'arm',
            type: 'nominal',
            scale: { domain: ARMS, range: ARM_COLOURS },
            legend: { title: 'arm', orient: 'right' },
          },
          strokeDash: {
            field: 'arm',
            type: 'nominal',
            scale: {
              domain: ARMS,
              range: [[], [3, 2]],
            },
            legend: null,
          },
        },
      },
    ],
  };
  return sheet(
    `${day}, block ${block}: what the daemon saw and did`,
    [
      'Looks like: the known situation nearest to each window. Pace: what a round cost under EEVDF over what it cost here; above 1 is faster.',
      'Same block, same seed, same frozen machine. Dashed: the oracle, which knows the best policy of each phase beforehand.',
    ],
    { vconcat: [bands, pace], spacing: 8, resolve: { scale: { color: 'independent', x: 'shared' } } },
  );
}
