// SPDX-License-Identifier: Apache-2.0
import type { ClaimTest } from './claims.ts';
import { type Evidence, type Finding, percent } from './finding.ts';
import type { ReplayFigures } from './replay-figures.ts';
import { noReplay } from './replay-wins.ts';

type Test = Extract<ClaimTest, { kind: 'replay-learns' }>;

/**
 * Whether the daemon did no harm in a day that its map did not know, and knew more of that day once the windows that it had queued were
 * evaluated elsewhere. No harm: no day lost, and the interval of its cost over EEVDF's ends below 1 + `margin`. Knew more: at most half of the
 * share of windows that nothing known was near to. Both reproduce it, one partly.
 */
export function replayLearns({ before, after, margin }: Test, { replays }: Evidence): Finding {
  const [first, then] = [replays?.get(before), replays?.get(after)];
  if (first === undefined) return noReplay(before);
  if (then === undefined) return noReplay(after);
  const [was, is] = [unknownShare(first), unknownShare(then)];
  const cost = costOf(first);
  const lost = first.lost.filter(({ arm }) => arm === 'auto');
  const safe = lost.length === 0 && cost?.high !== undefined && cost.high < 1 + margin;
  const learnt = was !== undefined && is !== undefined && was > 0 && is <= was / 2;
  const later = costOf(then);
  return {
    verdict: safe && learnt ? 'reproduced' : safe || learnt ? 'partly' : 'not reproduced',
    because: [
      `of the windows of the day ${first.day} nothing known was near to ${shown(was)} before its queue was evaluated, and to ${shown(is)} afterwards`,
      `with the map that did not know it the day costs ${costWords(cost)} of what EEVDF does (asked: surely below ${percent(1 + margin)})`,
      `with what was learnt it costs ${costWords(later)}`,
      ...lost.map(({ block, how }) => `its day of block ${block} was lost: ${how}`),
    ],
    numbers: Object.fromEntries(
      [
        ['unknown_before', was],
        ['unknown_after', is],
        ['over_eevdf_before', cost?.ratio],
        ['over_eevdf_before_high', cost?.high],
        ['over_eevdf_after', later?.ratio],
      ].filter((entry): entry is [string, number] => entry[1] !== undefined),
    ),
  };
}

function unknownShare({ daemons }: ReplayFigures): number | undefined {
  const sum = (pick: 'novel' | 'windows') =>
    daemons.reduce((all, each) => all + (each[pick] ?? Number.NaN), 0);
  const share = sum('novel') / sum('windows');
  return Number.isFinite(share) ? share : undefined;
}

function costOf({ comparisons }: ReplayFigures) {
  return comparisons.find(
    ({ arm, against, scope }) => arm === 'auto' && against === 'eevdf' && scope === 'day',
  );
}

function shown(share: number | undefined): string {
  return share === undefined ? 'an unknown share' : percent(share);
}

function costWords(cost: ReturnType<typeof costOf>): string {
  if (cost?.ratio === undefined) return 'an unknown share';
  const interval =
    cost.low === undefined || cost.high === undefined
      ? `n = ${cost.pairs}`
      : `${percent(cost.low)} to ${percent(cost.high)}, n = ${cost.pairs}`;
  return `${percent(cost.ratio)} (${interval})`;
}
