// SPDX-License-Identifier: Apache-2.0
import { type Situation, situationsOf } from '../../analysis/selection/cost-cells.ts';
import { type HeldOutChoice, heldOutChoices } from '../../analysis/selection/held-out.ts';
import { canDrift } from '../../analysis/stats/evidence.ts';
import { meanOf } from '../../analysis/stats/moments.ts';
import type { Asked } from './against-bound.ts';
import type { JudgedRun } from './finding.ts';

/** A situation and what selection, blind to the block that judges it, made of it. */
export interface Selected {
  readonly situation: Situation;
  readonly choices: readonly HeldOutChoice[];
  /** Cost under the chosen policy over the baseline's; a failure is a block in which one of them did not complete. */
  readonly cost: Asked;
}

/** Held-out selection on every situation of a run. */
export function selectionOf(run: JudgedRun, margin: number): readonly Selected[] {
  const drifts = driftsOf(run);
  return situationsOf(run.records, run.spec.baseline).map((situation) => {
    const choices = heldOutChoices(situation, run.spec.baseline, margin);
    return { situation, choices, cost: { ...costOf(choices, situation), drifts } };
  });
}

export function driftsOf({ records }: JudgedRun): boolean {
  return records.some(({ engine }) => canDrift(engine));
}

/**
 * Cost of some choices. Failures are those without a cost, and the situation's blocks that have no baseline: choices may be of other blocks
 * alone, or of those, too.
 */
export function costOf(
  choices: readonly Pick<HeldOutChoice, 'block' | 'logCost'>[],
  { without }: Situation,
): Asked {
  const failed = choices.filter(({ block, logCost }) => logCost === undefined && !without.includes(block));
  return { logs: choices.flatMap(({ logCost }) => logCost ?? []), failures: failed.length + without.length };
}

/** Cost of several situations together over blocks: in each the mean over situations. A block in which one has no cost is a failure. */
export function overBlocks(selected: readonly Selected[]): Asked {
  const blocks = new Map<number, (number | undefined)[]>();
  for (const { choices, situation } of selected) {
    const costs = new Map(choices.map(({ block, logCost }) => [block, logCost]));
    for (const block of [...costs.keys(), ...situation.without]) {
      blocks.set(block, [...(blocks.get(block) ?? []), costs.get(block)]);
    }
  }
  const means = [...blocks.values()].flatMap((costs) => {
    const known = costs.filter((cost) => cost !== undefined);
    return known.length === selected.length ? [meanOf(known)] : [];
  });
  const drifts = selected.some(({ cost }) => cost.drifts);
  return { logs: means, failures: blocks.size - means.length, drifts };
}

/** The same over workloads: of each the mean over its blocks. One without any cost is a failure. */
export function overWorkloads(selected: readonly Selected[]): Asked {
  const workloads = Map.groupBy(selected, ({ situation }) => situation.workload);
  const means = [...workloads.values()].flatMap((own) => {
    const logs = own.flatMap(({ cost }) => cost.logs);
    return logs.length === 0 ? [] : [meanOf(logs)];
  });
  return { logs: means, failures: workloads.size - means.length };
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
