// SPDX-License-Identifier: Apache-2.0
import type { ClaimTest } from './claims.ts';
import { type Evidence, type Finding, percent } from './finding.ts';
import type { ReplayRatio } from './replay-figures.ts';

type Test = Extract<ClaimTest, { kind: 'replay-wins' }>;

/**
 * Whether the daemon beat EEVDF and the best single policy over a day: both intervals below 1 reproduce it, one of them partly. The best single
 * policy is the one that did best in these very blocks, so nobody could have chosen a better one.
 */
export function replayWins(test: Test, { replays }: Evidence): Finding {
  const found = replays?.get(test.replay);
  if (found === undefined) return noReplay(test.replay);
  const lost = found.lost.filter(({ arm }) => arm === 'auto');
  const eevdf = found.comparisons.find(
    ({ arm, against, scope }) => arm === 'auto' && against === 'eevdf' && scope === 'day',
  );
  const pairs = [
    ['EEVDF', eevdf],
    [found.best ?? 'the best static policy', found.againstBest],
  ] as const;
  const wins = pairs.filter(([, ratio]) => ratio?.high !== undefined && ratio.high < 1).length;
  const verdict = lost.length > 0 || wins === 0 ? 'not reproduced' : wins === 2 ? 'reproduced' : 'partly';
  return {
    verdict,
    because: [
      ...pairs.map(
        ([name, ratio]) => `over the day ${found.day} the daemon costs ${words(ratio)} ${name} does`,
      ),
      ...lost.map(({ block, how }) => `its day of block ${block} was lost: ${how}`),
    ],
    numbers: Object.fromEntries(
      [
        ['over_eevdf', eevdf?.ratio],
        ['over_eevdf_high', eevdf?.high],
        ['over_best_static', found.againstBest?.ratio],
        ['over_best_static_high', found.againstBest?.high],
        ['blocks', eevdf?.pairs],
      ].filter((entry): entry is [string, number] => entry[1] !== undefined),
    ),
  };
}

/** The finding when nobody lived the day. */
export function noReplay(name: string): Finding {
  return { verdict: 'not judged', because: [`no replay of ${name}: run pmvx replay first`], numbers: {} };
}

function words(ratio: ReplayRatio | undefined): string {
  if (ratio?.ratio === undefined) return 'an unknown share of what';
  const interval =
    ratio.low === undefined || ratio.high === undefined
      ? `n = ${ratio.pairs}`
      : `${percent(ratio.low)} to ${percent(ratio.high)}, n = ${ratio.pairs}`;
  return `${percent(ratio.ratio)} (${interval}) of what`;
}
