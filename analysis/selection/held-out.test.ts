// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type SampleWorkload, sampleRun } from '../tables/sample-run.ts';
import { type Situation, situationsOf } from './cost-cells.ts';
import { bestOn, heldOutChoices } from './held-out.ts';

function situation(sample: SampleWorkload): Situation {
  return situationsOf(sampleRun([sample]).records, 'eevdf')[0] as Situation;
}

const FAILED = { state: 'ejected', reason: 'runnable task stall' } as const;

test('a cost is lower when a time is shorter and when a rate is higher', (t) => {
  const time = situation({ workload: 'w', ends: { eevdf: [2], fast: [1] } });
  t.is(time.cells[0]?.logCost, -Math.log(2));
  const metric = { name: 'rate', unit: '1/s', direction: 'higher' } as const;
  const rate = situation({ workload: 'w', metric, ends: { eevdf: [1], fast: [2] } });
  t.is(rate.cells[0]?.logCost, -Math.log(2));
});

test('the null control is no policy, and a trial that did not complete has no cost', (t) => {
  const { cells, blocks } = situation({
    workload: 'w',
    ends: { eevdf: [1, FAILED], fast: [FAILED, 1], aa: [1, 1] },
  });
  t.deepEqual(blocks, [0]);
  t.deepEqual(cells, [
    { block: 0, policy: 'fast', failed: true },
    { block: 1, policy: 'fast', failed: false },
  ]);
});

test('a block never takes part in the choice that it judges', (t) => {
  // `lucky` wins block 0 by far, and loses everywhere else; `steady` always gains 10 %.
  const choices = heldOutChoices(
    situation({
      workload: 'w',
      ends: { eevdf: [1, 1, 1], lucky: [0.01, 1.5, 1.5], steady: [0.9, 0.9, 0.9] },
    }),
    'eevdf',
    0.02,
  );
  t.is(choices[0]?.policy, 'steady');
  // Blocks 1 and 2 have seen block 0, and are misled by it: what that costs is charged.
  t.is(choices[1]?.policy, 'lucky');
  t.is(choices[1]?.logCost, Math.log(1.5));
});

test('less than the margin is left alone, and so is a policy that has failed before', (t) => {
  const ends = { eevdf: [1, 1, 1], slight: [0.99, 0.99, 0.99], failing: [0.5, FAILED, 0.5] };
  const choices = heldOutChoices(situation({ workload: 'w', ends }), 'eevdf', 0.02);
  t.deepEqual(choices[0], { block: 0, policy: 'eevdf', logCost: 0, failed: false });
  // Seen from block 1 it has never failed: it is chosen, and fails.
  t.deepEqual(choices[1], { block: 1, policy: 'failing', failed: true });
  t.is(choices[2]?.policy, 'eevdf');
});

test('one block cannot be held out', (t) => {
  t.deepEqual(heldOutChoices(situation({ workload: 'w', ends: { eevdf: [1], a: [0.5] } }), 'eevdf', 0), []);
});

test('of equal policies the first by name is best', (t) => {
  const { cells } = situation({ workload: 'w', ends: { eevdf: [1], b: [0.5], a: [0.5] } });
  t.is(bestOn(cells, [0])?.policy, 'a');
  t.is(bestOn([], [0]), undefined);
});
