// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { deriveSeed } from '../core/seed.ts';
import { MERGED_SPEC } from '../scale/merge/scene.ts';
import { blockSeeds } from './block-seeds.ts';
import { planTrials } from './plan.ts';

test('the seeds of a plan are those of its blocks, in order; null controls have seeds of their own', (t) => {
  const plan = planTrials(MERGED_SPEC);
  t.true(plan.trials.some(({ role }) => role === 'aa'));
  t.deepEqual(
    blockSeeds(plan),
    [0, 1, 2, 3, 4].map((block) => deriveSeed(7, 'block', block)),
  );
});
