// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readOthersFile } from './others-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'others-'));
const path = (name: string) => join(folder, name);

test('a file of others is read up to its bound, and only when it is a regular one', (t) => {
  writeFileSync(path('small'), '12345678');
  t.is(readOthersFile(path('small'), 8), '12345678');
  t.throws(() => readOthersFile(path('small'), 7), { message: /more than 7 bytes/ });
  symlinkSync(path('small'), path('link'));
  t.throws(() => readOthersFile(path('link'), 8), { code: 'ELOOP' });
  execFileSync('mkfifo', [path('fifo')]);
  t.throws(() => readOthersFile(path('fifo'), 8), { message: /no regular file/ });
  t.throws(() => readOthersFile(folder, 8), { message: /no regular file/ });
  t.throws(() => readOthersFile(path('nothing'), 8), { code: 'ENOENT' });
});
