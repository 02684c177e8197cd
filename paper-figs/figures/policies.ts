// SPDX-License-Identifier: Apache-2.0
import { type FigureInput, unique } from './style.ts';

/** Okabe and Ito's colours without black and grey: told apart in every common colour blindness. */
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'];
/** Shapes and dashes say the same once more. */
const SHAPES = ['square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'triangle-right'];
const DASHES = [
  [7, 2],
  [2, 2],
  [8, 2, 2, 2],
  [4, 3],
  [1, 3],
  [11, 3],
];
const OTHERS = { color: COLOURS, shape: SHAPES, strokeDash: DASHES } as const;
/** The baseline, and its null control. */
const BASELINE = { color: '#000000', shape: 'circle', strokeDash: [] } as const;
const CONTROL = { color: '#8a8a8a', shape: 'circle', strokeDash: [3, 1] } as const;
type Channel = keyof typeof OTHERS;

/** How each policy of one panel looks; the same in every figure of a run. */
export interface PolicyPart {
  readonly policies: readonly string[];
  readonly looks: readonly Readonly<Record<Channel, unknown>>[];
}

/**
 * The policies among `names` in parts that one panel can show: six besides the baseline and its null control, which
 * are in each.
 */
export function policyParts(names: readonly string[], { baseline, policies }: FigureInput): PolicyPart[] {
  const control = `${baseline} (A/A)`;
  const always = [baseline, control].filter((name) => names.includes(name));
  const others = unique([...policies, ...names]).filter((name) => name !== baseline && name !== control);
  const count = Math.max(1, Math.ceil(others.length / COLOURS.length));
  // As even as they get: 7 policies are 4 and 3, never 6 and 1.
  const size = Math.ceil(others.length / count);
  const parts = Array.from({ length: count }, (_, part) => {
    const members = others.slice(part * size, (part + 1) * size);
    const own = members.filter((name) => names.includes(name));
    return {
      policies: [...always, ...own],
      looks: [
        ...always.map((name) => (name === baseline ? BASELINE : CONTROL)),
        ...own.map((name) => lookAt(members.indexOf(name))),
      ],
      empty: own.length === 0,
    };
  });
  const filled = parts.filter(({ empty }) => !empty);
  return (filled.length === 0 ? parts.slice(0, 1) : filled).map(({ policies: own, looks }) => ({
    policies: own,
    looks,
  }));
}

/** Channels that tell the policies of a part from each other. */
export function byPolicy(
  { policies, looks }: PolicyPart,
  channels: readonly Channel[],
  legend: object = {},
): object {
  const shown = { title: null, orient: 'right', symbolSize: 70, symbolStrokeWidth: 2, ...legend };
  return Object.fromEntries(
    channels.map((channel) => {
      const scale = { domain: [...policies], range: looks.map((look) => look[channel]) };
      return [channel, { field: 'policy', type: 'nominal', scale, legend: shown }];
    }),
  );
}

function lookAt(at: number): Record<Channel, unknown> {
  return { color: COLOURS[at], shape: SHAPES[at], strokeDash: DASHES[at] };
}
