// SPDX-License-Identifier: Apache-2.0
import type { ReplayFigures } from './replay-figures.ts';

/** A made-up replay: costs over EEVDF's by arm, a row a block and a number a phase. EEVDF itself costs 1. */
export function sampleReplay(
  costs: Readonly<Record<string, readonly (readonly number[])[]>>,
  over: Partial<ReplayFigures> = {},
): ReplayFigures {
  const [first = []] = Object.values(costs);
  const phases = (first[0] ?? []).map((_, at) => `p${at}`);
  const all = { eevdf: first.map(() => phases.map(() => 1)), ...costs };
  return {
    day: 'mixed',
    drifts: false,
    phases,
    arms: Object.keys(all).map((id) => ({
      id,
      kind: id === 'eevdf' || id === 'auto' || id === 'oracle' ? id : 'static',
    })),
    blocks: Object.entries(all).flatMap(([arm, blocks]) =>
      blocks.map((row, block) => ({ arm, block, logCosts: row.map(Math.log) })),
    ),
    daemons: [],
    lost: [],
    ...over,
  };
}

/** Five blocks around `costs`, each a phase, up to 0.4 % away. */
export function around(...costs: readonly number[]): number[][] {
  return [1, 1.004, 0.996, 1.002, 0.998].map((noise) => costs.map((cost) => cost * noise));
}
