// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { canonicalPoint, type ForkPoint, forkPointMs, isForkPoint } from './fork-point.ts';
import { type WorkloadDefinition, warmSeconds } from './workload.ts';

test('a point is a word or a positive time of at most an hour with at most three decimals', (t) => {
  const good = ['quiescent', 'warm', '2s', '0.001s', '0.25s', '10.000s', '3600s'];
  t.deepEqual(good.filter(isForkPoint), good as ForkPoint[]);
  const bad = [
    '',
    'Warm',
    '2',
    '2 s',
    '2m',
    '-1s',
    '+1s',
    '0s',
    '0.000s',
    '.5s',
    '1.s',
    '0.0001s',
    '02s',
    '1e3s',
    '2s\n',
  ];
  t.deepEqual([...bad, '3600.001s', '3601s', '99999s', 'Infinitys'].filter(isForkPoint), []);
});

test('times have one spelling each', (t) => {
  t.deepEqual((['2.500s', '2.0s', '0.001s', '10s', 'warm', 'quiescent'] as const).map(canonicalPoint), [
    '2.5s',
    '2s',
    '0.001s',
    '10s',
    'warm',
    'quiescent',
  ]);
});

test('a point in the run is a number of milliseconds, and only the warm one depends on the workload', (t) => {
  t.is(forkPointMs('quiescent', 3), undefined);
  t.is(forkPointMs('warm', 0.0254), 25);
  t.is(forkPointMs('0.25s', 3), 250);
  t.is(forkPointMs('1.001s', 3), 1001);
});

test("the time to get warm is the workload's own for its engine, else a tenth of what a run takes", (t) => {
  const takes_s = { exact: 4, kvm: 1 };
  const plain = { takes_s } as WorkloadDefinition;
  t.is(warmSeconds(plain, 'exact'), 0.4);
  t.is(warmSeconds(plain, 'kvm'), 0.1);
  t.is(warmSeconds(plain, 'tcg'), 0.4);
  const own = { takes_s, warm_s: { exact: 0.7, kvm: 0.2 } } as WorkloadDefinition;
  t.is(warmSeconds(own, 'mock'), 0.7);
  t.is(warmSeconds(own, 'kvm'), 0.2);
});
