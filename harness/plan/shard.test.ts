// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import { sampleCompleted, sampleDescription } from '../store/sample-records.ts';
import { planTrials } from './plan.ts';
import { formatShard, parseShard, shardOf } from './shard.ts';

const { spec: sample } = sampleDescription([sampleCompleted()]);

/** Three policies and a null control on two workloads. */
function specOf(blocks: number): Spec {
  const workloads = ['hackbench', 'spinners'].map((workload) => ({
    workload,
    variant: 'default',
    params: {},
  }));
  return {
    ...sample,
    policies: ['eevdf', 'a', 'b'],
    workloads,
    seeds: { base: 3, count: blocks },
    order: 'randomised',
    controls: ['aa'],
  };
}

test('any number of shards put together are the plan: every trial once, none changed, blocks whole', (t) => {
  const plan = planTrials(specOf(7));
  for (let of = 1; of <= 7; of++) {
    const shards = Array.from({ length: of }, (_, at) => shardOf(plan, { index: at + 1, of }));
    const together = shards.flatMap(({ trials }) => trials);
    t.deepEqual(
      together.toSorted((a, b) => (a.trial < b.trial ? -1 : 1)),
      plan.trials,
      `${of} shards`,
    );
    const owners = Map.groupBy(together, ({ block }) => block);
    for (const [block, trials] of owners) {
      const holding = shards.filter((shard) => shard.trials.some((trial) => trial.block === block));
      t.is(holding.length, 1, `block ${block} of ${of} shards`);
      t.is(trials.length, 8);
    }
    t.true(shards.every(({ digest }) => digest === plan.digest));
  }
});

test('shards differ by one block at most, so that no host waits long for another', (t) => {
  const plan = planTrials(specOf(7));
  const blocks = [1, 2, 3].map(
    (index) => new Set(shardOf(plan, { index, of: 3 }).trials.map(({ block }) => block)).size,
  );
  t.deepEqual(blocks, [3, 2, 2]);
});

test('a shard without a block is refused, with how many there can be', (t) => {
  const plan = planTrials(specOf(2));
  const error = t.throws(() => shardOf(plan, { index: 3, of: 3 }), { instanceOf: PmvxError }) as PmvxError;
  t.is(error.code, ExitCode.usage);
  t.is(
    error.message,
    'shard 3/3 is empty: the spec has 2 blocks. Blocks are never torn: use at most 2 shards, or raise seeds.count.',
  );
});

test('a shard is written as it is read, and nothing else is a shard', (t) => {
  t.deepEqual(parseShard('2/8'), { index: 2, of: 8 });
  t.is(formatShard({ index: 2, of: 8 }), '2/8');
  for (const text of [
    '0/8',
    '9/8',
    '1/0',
    '1',
    '1/',
    '/2',
    '01/2',
    '1/2/3',
    '-1/2',
    '1.5/2',
    ' 1/2',
    '1/1e3',
  ]) {
    t.is(parseShard(text), undefined, text);
  }
});
