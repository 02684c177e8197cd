// SPDX-License-Identifier: Apache-2.0
import type { TopLevelSpec } from 'vega-lite';
import type { TimelineRow } from '../../analysis/tables/timeline-rows.ts';
import type { TrialState } from '../../harness/core/trial.ts';
import { type FigureNames, policyName, sheet, unique } from './style.ts';

/** Completed trials recede, the others stand out; each also has its letter. */
const STATES: Readonly<Record<TrialState, { readonly colour: string; readonly letter: string }>> = {
  completed: { colour: '#8FB8D9', letter: '' },
  failed: { colour: '#D55E00', letter: 'F' },
  ejected: { colour: '#CC79A7', letter: 'E' },
  refused: { colour: '#E69F00', letter: 'R' },
  'timed-out': { colour: '#000000', letter: 'T' },
  crashed: { colour: '#7A3B00', letter: 'C' },
};
const WIDTH = 760;
/** Pixels of a trial, and of the whole figure; with many at once the second decides. */
const SLOT = 11;
const MOST_HEIGHT = 900;
/** Beyond this many blocks their borders would be all that is seen. */
const MOST_BORDERS = 60;

/**
 * What ran when on the host: a row for each workload, within it one for each trial that ran at the same time; colour
 * and letter say how a trial ended. Pure: equal rows give an equal spec. Undefined when nothing ran.
 */
export function trialTimeline(rows: readonly TimelineRow[], given: FigureNames): TopLevelSpec | undefined {
  if (rows.length === 0) return undefined;
  const last = rows.reduce((most, { end }) => Math.max(most, end), 0);
  const { unit, seconds } =
    last > 3 * 3600
      ? { unit: 'h', seconds: 3600 }
      : last > 300
        ? { unit: 'min', seconds: 60 }
        : { unit: 's', seconds: 1 };
  const states = (Object.keys(STATES) as TrialState[]).filter((state) =>
    rows.some((row) => row.state === state),
  );
  const slots = rows.reduce((most, { slot }) => Math.max(most, slot), 0) + 1;
  const workloads = unique(rows.map(({ workload }) => workload)).sort();
  const values = rows.map((row) => ({
    ...row,
    policy: policyName(row),
    start: row.start / seconds,
    end: row.end / seconds,
    took: `${(row.end - row.start).toFixed(1)} s`,
    letter: STATES[row.state].letter,
  }));
  const x = {
    type: 'quantitative',
    scale: { domain: [0, last / seconds], nice: false },
    axis: { title: `time since the first trial started (${unit} of the host's clock)`, grid: true },
  } as const;
  const y = {
    field: 'workload',
    type: 'nominal',
    scale: { domain: workloads, paddingInner: 0.25, paddingOuter: 0.15 },
    axis: { title: null, ticks: false, domain: false, labelPadding: 8, labelLimit: 220 },
  } as const;
  const yOffset = {
    field: 'slot',
    type: 'ordinal',
    scale: { domain: Array.from({ length: slots }, (_, slot) => slot), paddingInner: 0.1 },
  } as const;
  const borders = bordersOf(rows).map(({ block, start }) => ({
    block: `block ${block}`,
    start: start / seconds,
  }));
  const total = rows.length === 1 ? '1 trial' : `${rows.length} trials`;
  return sheet(
    `${given.run}: what ran when`,
    [
      `n = ${total}, ${slots} at once at most. ${states.map((state) => legendWords(state, rows)).join(', ')}.`,
      ...(borders.length > 0 ? ['Dotted lines: where the first trial of a block started.'] : []),
    ],
    {
      width: WIDTH,
      height: Math.min(MOST_HEIGHT, workloads.length * (slots * SLOT + 8)),
      layer: [
        {
          data: { values: borders },
          mark: { type: 'rule', color: '#8a8a8a', strokeDash: [2, 3] },
          encoding: { x: { field: 'start', ...x } },
        },
        {
          data: { values },
          mark: { type: 'rect', stroke: '#ffffff', strokeWidth: 0.4 },
          encoding: {
            x: { field: 'start', ...x },
            x2: { field: 'end' },
            y,
            yOffset,
            color: {
              field: 'state',
              type: 'nominal',
              scale: { domain: states, range: states.map((state) => STATES[state].colour) },
              legend: { title: null, orient: 'bottom', symbolType: 'square' },
            },
            tooltip: [
              { field: 'trial', type: 'nominal' },
              { field: 'block', type: 'quantitative' },
              { field: 'workload', type: 'nominal' },
              { field: 'policy', type: 'nominal' },
              { field: 'state', type: 'nominal' },
              { field: 'took', type: 'nominal' },
            ],
          },
        },
        {
          data: { values: values.filter(({ letter }) => letter !== '') },
          mark: { type: 'text', fontSize: 8, fontWeight: 'bold', align: 'right', dx: -2 },
          encoding: { x: { field: 'start', ...x }, y, yOffset, text: { field: 'letter', type: 'nominal' } },
        },
      ],
    },
  );
}

function legendWords(state: TrialState, rows: readonly TimelineRow[]): string {
  const { letter } = STATES[state];
  return `${rows.filter((row) => row.state === state).length} ${state}${letter === '' ? '' : ` (${letter})`}`;
}

/** When the first trial of each block started; none when there are too many to tell apart. */
function bordersOf(rows: readonly TimelineRow[]): { readonly block: number; readonly start: number }[] {
  const starts = new Map<number, number>();
  for (const { block, start } of rows) if (!starts.has(block)) starts.set(block, start);
  return starts.size > MOST_BORDERS ? [] : [...starts].map(([block, start]) => ({ block, start }));
}
