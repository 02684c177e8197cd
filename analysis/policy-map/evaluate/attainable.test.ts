// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { sampleCompleted } from '../../../harness/store/sample-records.ts';
import { sampleExample, unitOf } from '../choose/sample-examples.ts';
import { attainable } from './attainable.ts';
import { blockNoise } from './block-noise.ts';

const time = (value: number) => [
  { name: 'time', unit: 's', direction: 'lower', primary: true, value } as const,
];
let trials = 0;
const record = (workload: string, policy: string, block: number, logTime: number, isNull = false) =>
  sampleCompleted({
    trial: String(trials++),
    workload,
    policy,
    block,
    role: isNull ? 'aa' : 'measure',
    metrics: time(Math.exp(logTime)),
  });

test('noise is what null controls differ by, and policies from block to block', (t) => {
  // Policy p of `loud` costs 0.5 on average, 0.1 more or less; its null controls are off by 0.1 and -0.1: four squares, three of them free.
  const loud = [
    record('loud', 'eevdf', 0, 0),
    record('loud', 'eevdf', 1, 1),
    record('loud', 'p', 0, 0.6),
    record('loud', 'p', 1, 1.4),
    record('loud', 'eevdf', 0, 0.1, true),
    record('loud', 'eevdf', 1, 0.9, true),
  ];
  const quiet = [record('quiet', 'eevdf', 0, 0), record('quiet', 'eevdf', 0, 0.02, true)];
  const noise = blockNoise([...loud, ...quiet], 'primary');
  const [own, other] = [0.04 / 3, 0.0004];
  // Each drawn to the median of both by two squares.
  const typical = (own + other) / 2;
  t.true(Math.abs((noise.get('loud') ?? 0) ** 2 - (0.04 + 2 * typical) / 5) < 1e-12);
  t.true(Math.abs((noise.get('quiet') ?? 0) ** 2 - (0.0004 + 2 * typical) / 3) < 1e-12);
  t.is(blockNoise([record('w', 'eevdf', 0, 0), record('w', 'p', 0, 1)], 'primary').size, 0);
});

const apart = [
  sampleExample('a', unitOf(1, 0), { fast: -0.5, slow: 0.5, awful: 2 }),
  sampleExample('b', unitOf(0, 1), { fast: 0.5, slow: -0.5, awful: 2 }),
];

test('without noise everything is attainable, and policies that are far apart stay so in a little of it', (t) => {
  const still = attainable(apart, new Map([['a', 0]]), 20);
  t.like(still, { regret: 0, geometricRegret: 0, top3: 1, noWorse: 1, worstWhereFlat: 0, draws: 20 });
  t.is(attainable(apart, new Map([['a', 0.01]]), 200).regret, 0);
});

test('where policies are alike, the best of one block is not the best of the next', (t) => {
  const costs = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, 0]));
  const alike = [sampleExample('a', unitOf(1, 0), costs)];
  const found = attainable(alike, new Map([['a', 0.1]]), 2000);
  // Any of 21 is among the first three of another block by chance; the best is 1.89 of a run's deviations below the mean of 21.
  t.true(Math.abs(found.top3 - 3 / 21) < 0.03, String(found.top3));
  const expected = Math.expm1(1.89 * (0.1 / Math.SQRT2));
  t.true(Math.abs(found.geometricRegret - expected) < 0.01, String(found.geometricRegret));
  t.deepEqual(found, attainable(alike, new Map([['a', 0.1]]), 2000), 'the same each time');
});
