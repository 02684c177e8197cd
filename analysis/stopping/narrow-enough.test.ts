// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type SampleEnd, sampleRun } from '../tables/sample-run.ts';
import { narrowEnough } from './narrow-enough.ts';

const NARROW = [1, 1.001, 0.999, 1.0005, 1];
const WIDE = [1, 2, 0.5, 1, 1];
const FAILED = { state: 'refused', reason: 'no' } as const;

function judge(
  ends: Record<string, readonly SampleEnd[]>,
  more: { policies?: string[]; workloads?: string[] } = {},
) {
  const { spec, records } = sampleRun([{ workload: 'hackbench', ends: { eevdf: [1, 1, 1, 1, 1], ...ends } }]);
  const stop = { rule: 'width', width: 1.05, minBlocks: 2, ...more } as const;
  return narrowEnough({ ...spec, seeds: { base: 1, count: 5 }, stop }, records);
}

test('every interval that counts must be narrow', (t) => {
  t.true(judge({ scx_simple: NARROW }));
  t.false(judge({ scx_simple: NARROW, scx_flatcg: WIDE }));
  t.true(judge({ scx_simple: NARROW, scx_flatcg: WIDE }, { policies: ['scx_simple'] }));
  t.false(judge({ scx_simple: NARROW }, { workloads: ['spinners'] }), 'none counts');
});

test('a cell that can never have an interval is not waited for, one that may have one later is', (t) => {
  t.true(judge({ scx_simple: NARROW, scx_qmap: [FAILED, FAILED, FAILED, FAILED, FAILED] }));
  t.true(judge({ scx_simple: NARROW, scx_qmap: [0, 0, 0, 0, 0] }), 'zero gives no ratio');
  t.false(judge({ scx_simple: NARROW, scx_qmap: [1, FAILED, FAILED, FAILED, FAILED] }), 'one pair so far');
  t.false(judge({ scx_qmap: [FAILED, FAILED, FAILED, FAILED, FAILED] }), 'there is nothing to be narrow');
});

test('more looks ask for more: each has its share of the chance to be wrong', (t) => {
  const ends = { eevdf: [1, 1, 1, 1, 1], scx_simple: [1, 1.02, 0.99, 1.01, 1] };
  const { spec, records } = sampleRun([{ workload: 'hackbench', ends }]);
  const at = (count: number) =>
    narrowEnough(
      { ...spec, seeds: { base: 1, count }, stop: { rule: 'width', width: 1.06, minBlocks: 5 } },
      records,
    );
  t.true(at(5));
  t.false(at(1000));
});

test('fewer blocks than a verdict needs are never enough, however narrow their intervals are', (t) => {
  const four = (values: readonly SampleEnd[]) => values.slice(0, 4);
  t.true(judge({ scx_simple: NARROW }));
  t.false(judge({ eevdf: [1, 1, 1, 1], scx_simple: four(NARROW) }));
});

test('a fixed number of blocks is never enough early', (t) => {
  const { spec, records } = sampleRun([
    { workload: 'hackbench', ends: { eevdf: [1, 1], scx_simple: [1, 1] } },
  ]);
  t.false(narrowEnough(spec, records));
});
