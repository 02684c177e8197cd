// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';

test('closed forms, and the whole rule of verdicts, are those of SciPy on random cases, which are others each time', async (t) => {
  const script = (name: string) => join(import.meta.dirname, name);
  const seed = String(Date.now());
  const { stdout: cases } = await execa(process.execPath, [script('random-cases.ts'), '64', seed]);
  t.is(cases.split('\n').length, 64);
  const checked = await execa('/usr/bin/python3', ['-W', 'ignore', script('random-cases.py')], {
    input: cases,
    reject: false,
  });
  t.is(checked.exitCode, 0, `seed ${seed}: ${checked.stdout} ${checked.stderr}`);
  t.regex(checked.stdout, /^64 cases, \d{3,} figures/);
  // What is wrong is found.
  const line = cases.split('\n')[0] as string;
  const wrong = line.replace(/"delta":(-?[\d.]+)/, (_, delta) => `"delta":${Number(delta) + 1e-6}`);
  t.not(wrong, line);
  const found = await execa('/usr/bin/python3', ['-W', 'ignore', script('random-cases.py')], {
    input: wrong,
    reject: false,
  });
  t.is(found.exitCode, 1);
  t.regex(found.stdout, /case 0: delta: /);
});
