// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { PmvxError } from '../core/errors.ts';
import { deriveSeed } from '../core/seed.ts';
import { planTrials } from '../plan/plan.ts';
import { CATALOG, SPEC } from '../run/scene.ts';
import { type AskOptions, questionOf } from './ask-options.ts';
import { trialsOf } from './question.ts';

const BOTH = {
  ...SPEC,
  workloads: [60, 80].map((loops) => ({
    workload: 'hackbench',
    variant: `loops=${loops}`,
    params: { loops },
  })),
};
const catalog = { ...CATALOG, recipes: [] };
const ask = (options: AskOptions, spec = SPEC) => questionOf(spec, options, catalog);

test('without options the question is of the first workload, at quiescent, from the first block', (t) => {
  const question = ask({}, BOTH);
  t.is(question.workload.variant, 'loops=60');
  t.is(question.point, 'quiescent');
  t.deepEqual(question.policies, ['eevdf', 'scx_simple']);
  t.deepEqual(question.states, [{ block: 0, seed: deriveSeed(7, 'block', 0) }]);
});

test('a state of a block has the seed that the plan gives the block', (t) => {
  const { states } = ask({ block: 1, blocks: 2 });
  const planned = (block: number) => planTrials(SPEC).trials.find((trial) => trial.block === block)?.seed;
  t.deepEqual(
    states.map(({ block, seed }) => [block, seed]),
    [1, 2].map((block) => [block, planned(block)]),
  );
});

test('a seed of its own is one state without a block', (t) => {
  t.deepEqual(ask({ seed: 42 }).states, [{ seed: 42 }]);
});

test('a workload is named by its id, with parameters where the spec has several', (t) => {
  t.is(ask({ workload: 'hackbench:loops=80' }, BOTH).workload.variant, 'loops=80');
  t.throws(() => ask({ workload: 'hackbench' }, BOTH), {
    message:
      /"hackbench" may be any of 2 workloads of the spec. Choose from: hackbench:loops=60; hackbench:loops=80/,
  });
  t.throws(() => ask({ workload: 'hackbench:loops=9' }, BOTH), { message: /the spec has no workload/ });
});

test('every fault of the words is told at once', (t) => {
  const error = t.throws(() => ask({ at: 'soon', policies: 'eevdf,scx_simpel', seed: 1, blocks: 2 }), {
    instanceOf: PmvxError,
  });
  t.deepEqual(
    error?.faults.map(({ where }) => where),
    ['--at', '--policies', '--seed'],
  );
  t.regex(error?.message ?? '', /Did you mean scx_simple\?/);
});

test('a time that no run of the workload can reach is refused', (t) => {
  t.is(ask({ at: '2.50s' }).point, '2.5s');
  t.throws(() => ask({ at: '20s' }), { message: /20s must be before the deadline of hackbench, 20 s/ });
});

test('trials are numbered state after state', (t) => {
  t.deepEqual(
    trialsOf(ask({ blocks: 2 })).map(({ trial, block, policy }) => [trial, block, policy]),
    [
      ['0001', 0, 'eevdf'],
      ['0002', 0, 'scx_simple'],
      ['0003', 1, 'eevdf'],
      ['0004', 1, 'scx_simple'],
    ],
  );
});
