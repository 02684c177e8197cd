// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { faultsOf, type LongRun, longRun, type Sample, thinned } from './long-run.ts';

const signal = new AbortController().signal;

/** A run of 400 trials, looked at after each, whose controller needs what `of` says. */
function run(of: (recorded: number) => Partial<Sample>, more: Partial<LongRun> = {}): LongRun {
  const samples = Array.from({ length: 401 }, (_, recorded) => ({
    ...{ seconds: recorded, recorded, mib: 100, descriptors: 20, processes: 1 },
    ...of(recorded),
  }));
  const whole = { engine: 'mock', trials: 400, completed: 400, seconds: 400, orphans: 0, left: [] } as const;
  return { ...whole, samples, ...more };
}

test('a controller on mock stays as it was, and leaves nothing', async (t) => {
  t.timeout(1_200_000);
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-long-test-'));
  const lived = await longRun({ engine: 'mock', trials: 41, jobs: 2, folder, signal });
  t.is(lived.trials, 44);
  t.is(lived.completed, 44);
  t.deepEqual([lived.orphans, lived.left, lived.fault], [0, [], undefined]);
  t.true(lived.samples.some(({ mib, descriptors }) => mib > 20 && descriptors > 3));
  t.false(existsSync(folder));
});

test('growth, losses and leftovers are told, warmth is not', (t) => {
  t.deepEqual(faultsOf(run((at) => ({ mib: at < 100 ? at : 120 }))), []);
  t.deepEqual(faultsOf(run((at) => ({ mib: 100 + at }))), ['memory grew from 250 to 450 MiB']);
  t.deepEqual(faultsOf(run((at) => ({ descriptors: 20 + Math.floor(at / 50) }))), [
    'descriptors grew from 23 to 27',
  ]);
  t.deepEqual(faultsOf(run(() => ({}), { completed: 399, orphans: 1, left: ['tmp/x'], fault: 'it ended' })), [
    'it ended',
    '399 of 400 trials completed',
    '1 processes were left',
    'left: tmp/x',
  ]);
});

test('a run that nobody looked at is no flat one', (t) => {
  const [memory, descriptors] = faultsOf(run(() => ({}), { samples: [] }));
  t.regex(memory ?? '', /memory/);
  t.regex(descriptors ?? '', /descriptors/);
  t.true(thinned(run(() => ({})).samples).length <= 201);
});
