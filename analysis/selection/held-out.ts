// SPDX-License-Identifier: Apache-2.0
import type { CostCell, Situation } from './cost-cells.ts';

/** What was chosen for a block without having seen it, and what came of it there. */
export interface HeldOutChoice {
  readonly block: number;
  /** The baseline when nothing was better by the margin. */
  readonly policy: string;
  /** As in `CostCell`; 0 for the baseline itself, undefined when the policy has no pair in this block. */
  readonly logCost?: number;
  readonly failed: boolean;
}

/**
 * For each block the policy that was best on the *other* blocks, judged on this one: leave one block out (Stone, "Cross-validatory choice
 * and assessment of statistical predictions", J. R. Stat. Soc. B 36 (1974) 111-147). Choosing and judging by the same blocks would
 * favour whoever was lucky. A policy that failed in any of the other blocks, or has no pair in one, is not chosen, and neither is one whose mean gain
 * is below `margin` (a share of the cost, 0.02: 2 %): then it is the baseline. Empty with fewer than two blocks.
 */
export function heldOutChoices(
  situation: Situation,
  baseline: string,
  margin: number,
): readonly HeldOutChoice[] {
  if (situation.blocks.length < 2) return [];
  return situation.blocks.map((block) => {
    const others = situation.blocks.filter((other) => other !== block);
    const best = bestOn(situation.cells, others);
    if (best === undefined || best.meanLogCost > Math.log(1 - margin)) {
      return { block, policy: baseline, logCost: 0, failed: false };
    }
    const cell = situation.cells.find((each) => each.block === block && each.policy === best.policy);
    return {
      block,
      policy: best.policy,
      ...(cell?.logCost === undefined ? {} : { logCost: cell.logCost }),
      failed: cell?.failed ?? true,
    };
  });
}

/** The policy with the least mean cost on `blocks`, among those that completed in all of them; the first by name of equals. */
export function bestOn(
  cells: readonly CostCell[],
  blocks: readonly number[],
): { readonly policy: string; readonly meanLogCost: number } | undefined {
  const policies = [...new Set(cells.map(({ policy }) => policy))].sort();
  let best: { readonly policy: string; readonly meanLogCost: number } | undefined;
  for (const policy of policies) {
    const costs = cells
      .filter((cell) => cell.policy === policy && blocks.includes(cell.block))
      .flatMap(({ logCost, failed }) => (failed || logCost === undefined ? [] : [logCost]));
    if (costs.length < blocks.length || costs.length === 0) continue;
    const meanLogCost = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    if (best === undefined || meanLogCost < best.meanLogCost) best = { policy, meanLogCost };
  }
  return best;
}
