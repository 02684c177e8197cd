// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { fuzz } from '../selftest/fuzz/fuzz.ts';
import type { Target } from '../selftest/fuzz/target.ts';
import { selftestCommand } from './selftest.ts';
import { fuzzCommand } from './selftest-fuzz.ts';

const ROOT = resolve(import.meta.dirname, '../..');

function scene() {
  const said: string[] = [];
  const warned: string[] = [];
  const context = {
    ...{ root: ROOT, env: process.env, signal: new AbortController().signal },
    ...{ write: (line: string) => said.push(line), warn: (line: string) => warned.push(line) },
  } as never;
  return { said, warned, context };
}

test('readers of what others wrote stand some thousand inputs that nobody has tried before', async (t) => {
  t.timeout(1_200_000);
  const out = mkdtempSync(join(tmpdir(), 'pmvx-fuzz-'));
  t.teardown(() => rmSync(out, { recursive: true, force: true }));
  const { said, warned, context } = scene();
  const seed = randomInt(2 ** 31);
  t.log(`seed ${seed}`);
  t.is(await fuzzCommand({ fuzz: 5000, seed, out }, context), ExitCode.ok, warned.join('\n'));
  t.is(said.at(-1), `5000 inputs, seed ${seed}: no finding`);
  const rows = readFileSync(join(out, 'fuzz.csv'), 'utf8').trim().split('\n');
  t.is(rows.length, 1 + 9);
  // A target that accepts nothing tries the reader's first check alone.
  for (const row of rows.slice(1)) t.true(Number(row.split(',')[2]) > 0, row);
  t.is(readdirSync(join(out, 'corpus')).length, 9);
});

test('a reader that breaks is found, and so is one that takes too long', async (t) => {
  const target: Target = {
    ...{ name: 'weak', about: 'breaks at an x, and sleeps at a y', mostBytes: 100, words: ['x', 'y'] },
    seeds: [Buffer.from('abc')],
    read(input) {
      if (input.includes('x')) throw new TypeError('x');
      if (input.includes('y')) for (const end = performance.now() + 30; performance.now() < end; );
      return 'accepted';
    },
  };
  const plan = { seed: 1, inputs: 500, corpus: [], signal: new AbortController().signal, deadlineMs: 10 };
  const { findings } = await fuzz(target, plan);
  t.true(findings.some(({ what, input }) => what === 'TypeError: x' && input.includes('x')));
  t.true(findings.some(({ what, input }) => what.startsWith('took ') && input.includes('y')));
});

test('one trial at a time, and one at least', async (t) => {
  const { context } = scene();
  const two = await t.throwsAsync(
    Promise.resolve(selftestCommand({ faults: 1, fuzz: 1, seed: 1 }, context)),
    { instanceOf: PmvxError },
  );
  t.regex(two?.message ?? '', /--faults and --fuzz are 2 trials/);
  const none = await t.throwsAsync(Promise.resolve(selftestCommand({ seed: 1 }, context)), {
    instanceOf: PmvxError,
  });
  t.regex(none?.message ?? '', /nothing to try\. Give --faults N, --fuzz N or --long N/);
});
