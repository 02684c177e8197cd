// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { armOver, averageOf } from './replay-figures.ts';
import { sampleReplay } from './sample-replay.ts';

const figures = sampleReplay({ a: [[2], [3], [5], [7]], b: [[1], [1.5], [2], [2]] });
const first = ([log = Number.NaN]: readonly number[]) => log;

test("an arm's cost over another's is in the order of the blocks, however they are kept", (t) => {
  const want = [2, 2, 2.5, 3.5].map((ratio) => ratio.toFixed(12));
  const ratios = (blocks = figures.blocks) =>
    armOver({ ...figures, blocks }, 'a', 'b', first).logs.map((log) => Math.exp(log).toFixed(12));
  t.deepEqual(ratios(), want);
  t.deepEqual(ratios(figures.blocks.toReversed()), want);
  const mixed = [2, 0, 3, 1].flatMap((at) => figures.blocks.filter(({ block }) => block === at));
  t.deepEqual(ratios(mixed), want);
});

test('a block that one of the two lost is no ratio and one failure; what others lost is neither', (t) => {
  const asked = armOver(
    {
      ...figures,
      drifts: true,
      blocks: figures.blocks.filter(({ arm, block }) => !(arm === 'b' && block === 1)),
      lost: [
        { arm: 'b', block: 1, how: 'timeout' },
        { arm: 'a', block: 1, how: 'timeout' },
        { arm: 'c', block: 2, how: 'timeout' },
      ],
    },
    'a',
    'b',
    first,
  );
  t.is(asked.logs.length, 3);
  t.is(asked.failures, 1);
  t.true(asked.drifts);
  t.false(armOver(figures, 'a', 'b', first).drifts);
});

test('phases of 1 and 4 cost 2.5 times as much on the arithmetic mean, and twice on the geometric one', (t) => {
  const logs = [Math.log(1), Math.log(4)];
  t.true(Math.abs(Math.exp(averageOf(logs, 'arithmetic')) - 2.5) < 1e-12);
  t.true(Math.abs(Math.exp(averageOf(logs, 'geometric')) - 2) < 1e-12);
});
