// SPDX-License-Identifier: Apache-2.0
import { type Situation, situationsOf } from '../../analysis/selection/cost-cells.ts';
import { type HeldOutChoice, heldOutChoices } from '../../analysis/selection/held-out.ts';
import { type PairedRatio, pairedRatio } from '../../analysis/stats/paired-ratio.ts';
import type { WorkloadClass } from '../../harness/core/workload.ts';
import type { JudgedRun } from './finding.ts';

/** A situation and what selection, blind to the block that judges it, made of it. */
export interface Selected {
  readonly situation: Situation;
  readonly choices: readonly HeldOutChoice[];
  /** Cost under the chosen policy over cost under the baseline, over blocks. */
  readonly ratio: PairedRatio;
  /** Blocks in which the chosen policy did not complete. */
  readonly failures: number;
}

/** Held-out selection on every situation of a run. */
export function selectionOf(run: JudgedRun, margin: number): readonly Selected[] {
  return situationsOf(run.records, run.spec.baseline).map((situation) => {
    const choices = heldOutChoices(situation, run.spec.baseline, margin);
    const pairs = choices.flatMap(({ logCost }) => (logCost === undefined ? [] : [asPair(logCost)]));
    const failures = choices.filter(({ failed }) => failed).length;
    return { situation, choices, ratio: pairedRatio(pairs), failures };
  });
}

/** Cost of all situations of some classes together: in each block the geometric mean over them, then over blocks. */
export function classRatio(
  selected: readonly Selected[],
  classes: readonly WorkloadClass[],
  classOf: ReadonlyMap<string, WorkloadClass>,
): PairedRatio {
  const mine = selected.filter(({ situation }) => {
    const own = classOf.get(situation.workload);
    return own !== undefined && classes.includes(own);
  });
  const blocks = new Map<number, number[]>();
  for (const { choices } of mine) {
    for (const { block, logCost } of choices) {
      if (logCost !== undefined) blocks.set(block, [...(blocks.get(block) ?? []), logCost]);
    }
  }
  // A block counts when every situation has a value in it: otherwise blocks would be of different things.
  const whole = [...blocks.values()].filter((costs) => costs.length === mine.length);
  return pairedRatio(whole.map((costs) => asPair(costs.reduce((sum, cost) => sum + cost, 0) / costs.length)));
}

function asPair(logCost: number): { readonly value: number; readonly baseline: number } {
  return { value: Math.exp(logCost), baseline: 1 };
}

/** The policies that were chosen, the most often chosen first, with how often. */
export function chosenWords(choices: readonly HeldOutChoice[]): string {
  const counts = new Map<string, number>();
  for (const { policy } of choices) counts.set(policy, (counts.get(policy) ?? 0) + 1);
  return [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([policy, count]) => (counts.size === 1 ? policy : `${policy} ${count} x`))
    .join(', ');
}
