// SPDX-License-Identifier: Apache-2.0
import { median } from '../../stats/median.ts';
import { randomWords, uniform, type Words } from '../../stats/random.ts';
import type { Example, KnownCost } from '../choose/training.ts';
import { oracle } from './compare-methods.ts';
import { judgePick } from './judge-picks.ts';

/** What knowing everything about one block is worth in another. Costs are ratios less 1. */
export interface Attainable {
  readonly regret: number;
  readonly geometricRegret: number;
  readonly top3: number;
  readonly top3OrEqual: number;
  readonly noWorse: number;
  /** Mean over draws of the greatest cost over the baseline's where no policy seems better by more than 2 %. */
  readonly worstWhereFlat: number;
  /** Blocks that were drawn. */
  readonly draws: number;
}

/**
 * An oracle that has seen one block, judged by another: what was measured, with the noise of a block added once to choose and once again to judge. No picker
 * can be expected to do better on a matrix of one block, for what the best policy of that block has won by luck is no regret of anybody's.
 * @param noise standard deviation of a block's log cost, by workload, of `blockNoise`; a workload without gets the median.
 */
export function attainable(
  examples: readonly Example[],
  noise: ReadonlyMap<string, number>,
  draws = 1000,
): Attainable {
  const words = randomWords(1, 'attainable');
  const typical = median([...noise.values()]) ?? 0;
  const rows = Array.from({ length: draws }, () =>
    examples.map((example) => {
      // A ratio is of two runs, each with half of its variance.
      const deviation = (noise.get(example.workload) ?? typical) / Math.SQRT2;
      const { policy } = oracle(inAnotherBlock(example, deviation, words));
      const judged = inAnotherBlock(example, deviation, words);
      return judgePick({ example: judged, ...(policy === undefined ? {} : { policy }) });
    }),
  );
  const all = rows.flat();
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const share = (is: (row: (typeof all)[number]) => boolean) => all.filter(is).length / all.length;
  return {
    regret: mean(all.map(({ regret }) => regret)),
    geometricRegret: Math.expm1(mean(all.map(({ regret }) => Math.log1p(regret)))),
    top3: share(({ rank }) => rank <= 3),
    top3OrEqual: share(({ rankOrEqual }) => rankOrEqual <= 3),
    noWorse: share(({ noWorse }) => noWorse),
    worstWhereFlat: mean(
      rows.map((block) =>
        Math.expm1(Math.max(0, ...block.filter(({ flat }) => flat).map(({ logCost }) => logCost))),
      ),
    ),
    draws,
  };
}

function inAnotherBlock(example: Example, deviation: number, words: Words): Example {
  const baseline = deviation * normal(words);
  const costs = [...example.costs].map(([policy, cost]): [string, KnownCost] => [
    policy,
    cost.logCost === undefined
      ? cost
      : { ...cost, logCost: cost.logCost + deviation * normal(words) - baseline },
  ]);
  return { ...example, costs: new Map(costs) };
}

/** Box and Muller, Ann. Math. Stat. 29 (1958) 610. */
function normal(words: Words): number {
  return Math.sqrt(-2 * Math.log(1 - uniform(words))) * Math.cos(2 * Math.PI * uniform(words));
}

/** Markdown. */
export function formatAttainable(found: Attainable): string {
  const share = (value: number) => `${(100 * value).toFixed(1)} %`;
  return `Attainable: an oracle that has seen one block, judged by another one with the noise of the runs given, has a mean regret of ${share(found.regret)} (geometric mean ${share(found.geometricRegret)}), picks one of the top 3 in ${share(found.top3)} (${share(found.top3OrEqual)} with those equal within 1 %), is no worse than EEVDF by 1 % in ${share(found.noWorse)}, and costs up to ${share(found.worstWhereFlat)} more where scheduling seems not to help (means of ${found.draws} draws).`;
}
