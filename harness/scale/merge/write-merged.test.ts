// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { copyFolder, writeMerged } from './write-merged.ts';

/** A folder `from` with two files, and one `to` with another. */
function scratch(t: ExecutionContext): { folder: string; from: string; to: string } {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-copy-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  mkdirSync(join(from, 'sub'), { recursive: true });
  writeFileSync(join(from, 'a'), 'A');
  writeFileSync(join(from, 'sub/b'), 'B');
  mkdirSync(to);
  writeFileSync(join(to, 'old'), 'O');
  return { folder, from, to };
}

test('a folder takes the place of another whole', async (t) => {
  const { folder, from, to } = scratch(t);
  await copyFolder(from, to);
  t.deepEqual(readdirSync(to).sort(), ['a', 'sub']);
  t.is(readFileSync(join(to, 'sub/b'), 'utf8'), 'B');
  t.is(readFileSync(join(from, 'a'), 'utf8'), 'A');
  t.deepEqual(readdirSync(folder).sort(), ['from', 'to']);
});

test('one that cannot be copied to its end leaves what was there, and no part beside it', async (t) => {
  const { folder, from, to } = scratch(t);
  execFileSync('mkfifo', [join(from, 'z')]);
  await t.throwsAsync(copyFolder(from, to), { code: 'ERR_FS_CP_FIFO_PIPE' });
  t.deepEqual(readdirSync(folder).sort(), ['from', 'to']);
  t.deepEqual(readdirSync(to), ['old']);
});

test('a merged run that cannot be written to its end is not there, and no part of it', async (t) => {
  const { folder } = scratch(t);
  const merged = { plan: undefined } as never;
  await t.throwsAsync(writeMerged(join(folder, 'run'), merged), { instanceOf: TypeError });
  t.deepEqual(readdirSync(folder).sort(), ['from', 'to']);
});
