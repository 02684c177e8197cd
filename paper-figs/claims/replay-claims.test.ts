// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { ClaimTest } from './claims.ts';
import { judgeClaim } from './judge-claim.ts';
import type { ReplayFigures } from './replay-figures.ts';
import { around, sampleReplay } from './sample-replay.ts';

function judged(claim: ClaimTest, replays: Readonly<Record<string, ReplayFigures>>) {
  const none = { runs: new Map(), classes: new Map(), policies: new Map(), vectors: new Map() };
  return judgeClaim(claim, { ...none, situations: new Map(), replays: new Map(Object.entries(replays)) });
}

const WINS: ClaimTest = { kind: 'replay-wins', replay: 'day', margin: 0.02 };
const wins = (day: ReplayFigures) => judged(WINS, { day }).verdict;

test('a scenario that the daemon wins against EEVDF and every single policy reproduces the claim', (t) => {
  const auto = around(0.8, 0.9);
  t.is(wins(sampleReplay({ auto, x: around(0.9, 1), y: around(1, 0.95) })), 'reproduced');
  t.is(wins(sampleReplay({ auto, x: around(0.81, 0.9) })), 'partly', 'x is as good');
  t.is(wins(sampleReplay({ auto, x: around(0.7, 0.8) })), 'not reproduced', 'x is better');
  t.is(
    wins(sampleReplay({ auto: around(0.99, 0.99), x: around(1.2, 1.2) })),
    'not reproduced',
    'within the margin of EEVDF',
  );
});

test('a win must hold by the arithmetic and by the geometric mean over phases', (t) => {
  // One phase at a third outweighs one at 1.6 by the geometric mean alone.
  const geometric = sampleReplay({ auto: around(0.33, 1.7), x: around(1.2, 1.2) });
  t.is(wins(geometric), 'not reproduced');
  const { numbers, because } = judged(WINS, { day: geometric });
  t.true((numbers.arithmetic_over_eevdf as number) > 1);
  t.true((numbers.geometric_over_eevdf as number) < 0.8);
  t.regex(because.join('\n'), /1\.015 .* of what eevdf does by the arithmetic mean/);
  t.regex(because.join('\n'), /0\.749 .* of what eevdf does by the geometric mean/);
  // A static policy that is better by one mean alone contradicts the claim.
  t.is(wins(sampleReplay({ auto: around(0.8, 0.8), x: around(0.3, 1.45) })), 'not reproduced');
});

test('a win needs five blocks, and none that the daemon lost', (t) => {
  const costs = { auto: around(0.8, 0.9), x: around(1, 1) };
  const four = { auto: costs.auto.slice(1), x: costs.x.slice(1) };
  t.is(wins(sampleReplay(four)), 'not reproduced');
  t.regex(judged(WINS, { day: sampleReplay(four) }).because[1] ?? '', /too few blocks \(5 are asked\)/);
  const lost = [{ arm: 'auto', block: 5, how: 'crashed: gone' }];
  t.is(wins(sampleReplay(costs, { lost })), 'not reproduced');
  t.true(
    judged(WINS, { day: sampleReplay(costs, { lost }) }).because.includes(
      'its block 5 was lost: crashed: gone',
    ),
  );
  // Blocks that a rival lost are blocks of which nothing is known.
  const rival = [{ arm: 'x', block: 5, how: 'failed' }];
  t.is(wins(sampleReplay(costs, { lost: rival })), 'partly');
});

test('without a replay nothing is judged', (t) => {
  const { verdict, because } = judged(WINS, {});
  t.deepEqual([verdict, because[0]], ['not judged', 'no replay of day: run pmvx replay first']);
});

test('switches under load show a part of the claim about the runtime; a daemon that never switched shows none', (t) => {
  const of = (...switches: number[]) =>
    judged(
      { kind: 'replay-switches', replay: 'day' },
      {
        day: sampleReplay(
          { auto: around(1) },
          {
            daemons: switches.map((count) => ({
              switches: count,
              windows: 9,
              novel: 0,
              gapMostMs: count - 1,
            })),
          },
        ),
      },
    );
  t.is(of(5, 4).verdict, 'partly');
  t.deepEqual(of(5, 4).numbers, { lives: 2, longest_gap_ms: 4 });
  t.is(of(5, 0).verdict, 'not reproduced');
  t.deepEqual(of(5).numbers, { lives: 1, longest_gap_ms: 4 });
  t.regex(of(5, 4).because.join('\n'), /in 2 lives .* 4 to 5 times .*\nthe longest .* was 4\.0 ms/);
  const none = of();
  t.like(none, { verdict: 'not reproduced', numbers: { lives: 0 } });
  t.is(none.because[0], 'no daemon lived through the day mixed');
  t.notRegex(none.because.join('\n'), /longest|Infinity/);
});

test('a day that the daemon lost is told, and shows no part of the claim; days that others lost do not matter', (t) => {
  const of = (arm: string) =>
    judged(
      { kind: 'replay-switches', replay: 'day' },
      {
        day: sampleReplay(
          { auto: around(1) },
          { daemons: [{ switches: 2, windows: 9, novel: 0 }], lost: [{ arm, block: 3, how: 'it stalled' }] },
        ),
      },
    );
  t.is(of('auto').verdict, 'not reproduced');
  t.is(of('auto').because.at(-1), 'its day of block 3 was lost: it stalled');
  t.like(of('eevdf'), { verdict: 'partly', numbers: { lives: 1 } });
  t.notRegex(of('eevdf').because.join('\n'), /lost|longest/);
});

const LEARNS: ClaimTest = { kind: 'replay-learns', before: 'first', after: 'second', margin: 0.02 };

/** A replay of two phases in which so many of 100 windows were unknown. */
function strange(novel: number, costs: readonly (readonly number[])[] = around(0.9, 1)): ReplayFigures {
  return sampleReplay({ auto: costs }, { day: 'strange', daemons: [{ switches: 1, windows: 100, novel }] });
}

const learns = (first: ReplayFigures, second: ReplayFigures) => judged(LEARNS, { first, second }).verdict;

test('a scenario that did no harm before and after learning, and of which half as much is unknown then, reproduces the claim', (t) => {
  t.is(learns(strange(60), strange(30)), 'reproduced');
  t.is(learns(strange(60), strange(31)), 'partly', 'too little was learnt');
  t.is(learns(strange(0), strange(0)), 'partly', 'nothing was unknown: nothing shown');
  const { numbers } = judged(LEARNS, { first: strange(60), second: strange(30) });
  t.deepEqual([numbers.unknown_before, numbers.unknown_after], [0.6, 0.3]);
});

test('one phase that is not surely within the margin, before or after learning, is harm', (t) => {
  const harmed = around(0.8, 1.03);
  t.is(learns(strange(60, harmed), strange(30)), 'partly');
  t.is(learns(strange(60), strange(30, harmed)), 'partly', 'after learning counts, too');
  t.is(learns(strange(60, harmed), strange(31)), 'not reproduced');
  const { because } = judged(LEARNS, { first: strange(60, harmed), second: strange(30) });
  t.regex(because.join('\n'), /phase p1, before: cost 1\.030 .* of EEVDF's, surely above 1\.02$/m);
});

test('within the margin is asked of all phases as one family: what one phase alone would show is not enough', (t) => {
  // What is clear of the margin among four comparisons is not so among sixteen.
  const blocks = [0.99, 1, 1, 1.01, 0.985];
  const alone = blocks.map((cost) => [cost]);
  t.is(learns(strange(60, alone), strange(30, alone)), 'reproduced');
  const many = blocks.map((cost) => Array.from({ length: 7 }, () => cost));
  t.is(learns(strange(60, many), strange(30, many)), 'partly');
});

test('three blocks show no safety, however good they are; neither does a lost one', (t) => {
  const few = around(0.9, 0.9).slice(2);
  t.is(learns(strange(60, few), strange(30, few)), 'partly');
  t.is(learns(strange(60, few), strange(31, few)), 'not reproduced');
  const lost = { ...strange(30), lost: [{ arm: 'auto', block: 5, how: 'timed-out' }] };
  t.is(learns(strange(60), lost), 'partly');
  // One of twenty-one is fewer than a tenth, and still one that the daemon lost.
  const many = Array.from({ length: 4 }, () => around(0.9, 1)).flat();
  const late = { ...strange(30, many), lost: [{ arm: 'auto', block: 20, how: 'timed-out' }] };
  t.is(learns(strange(60, many), strange(30, many)), 'reproduced');
  t.is(learns(strange(60, many), late), 'partly');
  t.is(learns({ ...late, daemons: strange(60).daemons }, strange(30, many)), 'partly');
});

test('learning needs both replays', (t) => {
  t.deepEqual(judged(LEARNS, { first: strange(60) }).because, ['no replay of second: run pmvx replay first']);
  t.deepEqual(judged(LEARNS, { second: strange(60) }).because, ['no replay of first: run pmvx replay first']);
});
