// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readGiven } from './given.ts';

const folder = mkdtempSync(join(tmpdir(), 'pmvx-given-'));
const path = (name: string) => join(folder, name);

test('a number alone is progress', (t) => {
  for (const [text, value] of [
    ['17\n', 17],
    ['17.5', 17.5],
    [' 1e3 ', 1000],
    ['', undefined],
    ['17 requests', undefined],
    ['-3', undefined],
    ['NaN', undefined],
    ['9'.repeat(65), undefined],
  ] as const) {
    writeFileSync(path('number'), text);
    t.is(readGiven(path('number')), value, text);
  }
});

test('what is no file of its own is no number, and nothing to wait for', (t) => {
  execFileSync('mkfifo', [path('pipe')]);
  t.is(readGiven(path('pipe')), undefined);
  writeFileSync(path('real'), '17');
  symlinkSync(path('real'), path('link'));
  t.is(readGiven(path('link')), undefined);
  t.is(readGiven(folder), undefined);
  t.is(readGiven('/dev/zero'), undefined);
  t.is(readGiven(path('nothing')), undefined);
});
