// SPDX-License-Identifier: Apache-2.0
import { againstBound, answerWords, costWords, ratioOf } from './against-bound.ts';
import type { ClaimTest } from './claims.ts';
import { type Evidence, type Finding, percent } from './finding.ts';
import { armOver, averageOf, type ReplayFigures } from './replay-figures.ts';
import { noReplay } from './replay-wins.ts';

type Test = Extract<ClaimTest, { kind: 'replay-learns' }>;

/**
 * Whether the daemon did no harm in a scenario that its map did not know, neither before nor after the windows that it had queued were evaluated elsewhere,
 * and knew more of it afterwards. No harm: in no block was it lost, and its cost over EEVDF's surely is below 1 + `margin` in each phase and over all of them,
 * before and after. Knew more: at most half of the share of windows that nothing known was near to. Both reproduce it, one partly.
 */
export function replayLearns({ before, after, margin }: Test, { replays }: Evidence): Finding {
  const [first, then] = [replays?.get(before), replays?.get(after)];
  if (first === undefined) return noReplay(before);
  if (then === undefined) return noReplay(after);
  const [was, is] = [unknownShare(first), unknownShare(then)];
  const learnt = was !== undefined && is !== undefined && was > 0 && is <= was / 2;
  const family = [...costsOf(first, 'before'), ...costsOf(then, 'after')];
  const bound = 1 + margin;
  const answers = againstBound(
    family.map(({ asked }) => asked),
    bound,
  );
  const lost = [...first.lost, ...then.lost].filter(({ arm }) => arm === 'auto');
  const within = answers.filter((answer) => answer === 'below').length;
  const safe = lost.length === 0 && within === family.length;
  return {
    verdict: safe && learnt ? 'reproduced' : safe || learnt ? 'partly' : 'not reproduced',
    because: [
      `the daemon's cost over EEVDF's surely is below ${bound.toFixed(2)} in ${within} of ${family.length} comparisons: each phase and all of them, before and after`,
      `of the windows of the scenario ${first.day} nothing known was near to ${shown(was)} before its queue was evaluated, and to ${shown(is)} afterwards`,
      ...family.map(
        ({ name, asked }, at) =>
          `${name}: cost ${costWords(asked)} of EEVDF's, ${answerWords(answers[at] ?? 'open', bound)}`,
      ),
      ...lost.map(({ block, how }) => `its block ${block} was lost: ${how}`),
    ],
    numbers: Object.fromEntries(
      [
        ['unknown_before', was] as const,
        ['unknown_after', is] as const,
        ...family.flatMap(({ key, asked }) => {
          const ratio = ratioOf(asked);
          return ratio.kind === 'none'
            ? []
            : [
                [`over_eevdf_${key}`, ratio.ratio] as const,
                [`over_eevdf_${key}_high`, ratio.kind === 'interval' ? ratio.high : undefined] as const,
              ];
        }),
      ].flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
  };
}

function costsOf(replay: ReplayFigures, when: 'before' | 'after') {
  const phases = replay.phases.map((phase, at) => ({
    key: `${phase}_${when}`,
    name: `phase ${phase}, ${when}`,
    asked: armOver(replay, 'auto', 'eevdf', (costs) => costs[at] as number),
  }));
  const all = armOver(replay, 'auto', 'eevdf', (costs) => averageOf(costs, 'arithmetic'));
  return [...phases, { key: when, name: `all phases, ${when}`, asked: all }];
}

function unknownShare({ daemons }: ReplayFigures): number | undefined {
  const sum = (pick: 'novel' | 'windows') => daemons.reduce((all, each) => all + each[pick], 0);
  const share = sum('novel') / sum('windows');
  return Number.isFinite(share) ? share : undefined;
}

function shown(share: number | undefined): string {
  return share === undefined ? 'an unknown share' : percent(share);
}
