// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { cutVector, formatAblations } from './ablation.ts';

test('what is left of a vector has length 1 again; nothing stays nothing', (t) => {
  const vector = Float32Array.of(0.5, 0.25, 0.75);
  const cut = cutVector(vector, (at) => at < 2);
  t.true(Math.abs(Math.hypot(...cut) - 1) < 1e-6);
  t.true(Math.abs((cut[0] ?? 0) / (cut[1] ?? 0) - 2) < 1e-6, 'in the same proportion');
  t.is(cut[2], 0);
  t.deepEqual([...vector], [0.5, 0.25, 0.75], 'the vector itself stays');
  t.deepEqual([...cutVector(vector, () => false)], [0, 0, 0]);
  t.deepEqual([...cutVector(Float32Array.of(0, 0, 7), (at) => at === 2)], [0, 0, 1]);
});

test('regrets are told in percent, a row a feature', (t) => {
  const rows = [{ feature: 'busy', without: 0.1234, alone: 0.5 }];
  t.deepEqual(formatAblations({ all: 0.05, none: 1, rows }), [
    "Geometric mean regret of the bold neighbours' choice: 5.0 % with all features, 100.0 % with none.",
    '',
    '| feature | regret without it | with it alone |',
    '|---|---|---|',
    '| busy | 12.3 % | 50.0 % |',
  ]);
});
