// SPDX-License-Identifier: Apache-2.0
import { type Answer, againstBound, answerWords, costWords, ratioOf } from './against-bound.ts';
import type { ClaimTest } from './claims.ts';
import type { Evidence, Finding } from './finding.ts';
import { type Average, armOver, averageOf, type ReplayFigures } from './replay-figures.ts';

type Test = Extract<ClaimTest, { kind: 'replay-wins' }>;

const AVERAGES: readonly Average[] = ['arithmetic', 'geometric'];

/**
 * Whether the daemon beat EEVDF and every single policy over a scenario, by the arithmetic and by the geometric mean over its phases. Reproduced:
 * it surely is better by the margin than all of them by both. Partly: than EEVDF by both, while no single policy is surely as much better than the
 * daemon by either. A block that the daemon lost wins nothing.
 */
export function replayWins(test: Test, { replays }: Evidence): Finding {
  const found = replays?.get(test.replay);
  if (found === undefined) return noReplay(test.replay);
  const rivals = found.arms.filter(({ kind }) => kind === 'eevdf' || kind === 'static').map(({ id }) => id);
  const family = AVERAGES.flatMap((average) =>
    rivals.map((rival) => ({
      average,
      rival,
      asked: armOver(found, 'auto', rival, (costs) => averageOf(costs, average)),
    })),
  );
  const asked = family.map((each) => each.asked);
  const [bound, other] = [1 / (1 + test.margin), 1 + test.margin];
  const wins = againstBound(asked, bound);
  const loses = againstBound(asked, other);
  const judged = family.map((each, at) => ({
    ...each,
    win: wins[at] as Answer,
    lose: loses[at] === 'above',
  }));
  const lost = found.lost.filter(({ arm }) => arm === 'auto');
  const all = judged.every(({ win }) => win === 'below');
  const eevdf = judged.filter(({ rival }) => rival === 'eevdf').every(({ win }) => win === 'below');
  const some = eevdf && !judged.some(({ lose }) => lose);
  const shown = AVERAGES.flatMap((average) => {
    const own = judged.filter((each) => each.average === average);
    return [
      ...own.filter(({ rival }) => rival === 'eevdf'),
      ...own.filter(({ rival }) => rival === bestOf(found, average)),
    ];
  });
  return {
    verdict: lost.length > 0 || !(all || some) ? 'not reproduced' : all ? 'reproduced' : 'partly',
    because: [
      `the daemon surely costs less than ${bound.toFixed(2)} of ${AVERAGES.map((average) => winsWords(judged, average)).join('; ')}`,
      ...shown.map(({ average, rival, asked, win, lose }) => {
        const answer = lose ? answerWords('above', other) : answerWords(win, bound);
        return `over the scenario ${found.day} the daemon costs ${costWords(asked)} of what ${rival} does by the ${average} mean over phases: ${answer}`;
      }),
      ...lost.map(({ block, how }) => `its block ${block} was lost: ${how}`),
    ],
    numbers: Object.fromEntries([
      ...judged.flatMap(({ average, rival, asked }) => {
        const ratio = ratioOf(asked);
        if (ratio.kind === 'none') return [];
        const name = `${average}_over_${rival}`;
        return [
          [name, ratio.ratio],
          ...(ratio.kind === 'interval' ? [[`${name}_high`, ratio.high]] : []),
        ] as [string, number][];
      }),
      ['blocks', asked[0]?.logs.length ?? 0],
    ]),
  };
}

function winsWords(
  judged: readonly { readonly average: Average; readonly rival: string; readonly win: Answer }[],
  average: Average,
): string {
  const own = judged.filter((each) => each.average === average);
  const beaten = own.filter(({ win }) => win === 'below').map(({ rival }) => rival);
  const not = own.filter(({ win }) => win !== 'below').map(({ rival }) => rival);
  const words = not.length === 0 ? '' : `, not of ${not.join(', ')}`;
  return `${beaten.length === 0 ? 'none' : beaten.join(', ')}${words} by the ${average} mean over phases`;
}

/** The single policy that cost least by this mean in these very blocks: nobody could have chosen a better one. */
function bestOf(found: ReplayFigures, average: Average): string | undefined {
  const costs = found.arms.flatMap(({ id, kind }) => {
    const ratio = ratioOf(armOver(found, id, 'eevdf', (logCosts) => averageOf(logCosts, average)));
    return kind === 'static' && ratio.kind !== 'none' ? [{ id, ratio: ratio.ratio }] : [];
  });
  return costs.toSorted((a, b) => a.ratio - b.ratio)[0]?.id;
}

/** The finding when nobody ran the scenario. */
export function noReplay(name: string): Finding {
  return { verdict: 'not judged', because: [`no replay of ${name}: run pmvx replay first`], numbers: {} };
}
