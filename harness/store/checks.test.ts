// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { brokenRun, CHECKS_FILE, NO_CHECKS, readChecks, requireUnbroken, writeChecks } from './checks.ts';

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-checks-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('what checks found is read as it was written, and nothing where nothing was compared', async (t) => {
  const folder = scratch(t);
  t.is(await readChecks(folder), undefined);
  const checks = { ...NO_CHECKS, agreed: { a: 'n1' }, undecided: { b: 'n2' } };
  await writeChecks(folder, checks);
  t.deepEqual(await readChecks(folder), checks);
  await t.notThrowsAsync(requireUnbroken(folder));
});

test('a file that says nothing is refused with its place, and one that cannot be read is not absent', async (t) => {
  const folder = scratch(t);
  for (const text of ['', '{', '{"v":2}', '{"v":1,"agreed":{},"undecided":{}}']) {
    writeFileSync(join(folder, CHECKS_FILE), text);
    const error = await t.throwsAsync(readChecks(folder), { instanceOf: PmvxError });
    t.is(error?.code, ExitCode.failure);
    t.is(
      error?.message,
      `${join(folder, CHECKS_FILE)}: does not say what checks found. Restore the file from a copy`,
    );
  }
  await t.throwsAsync(readChecks(join(folder, CHECKS_FILE)), { code: 'ENOTDIR' });
});

test('a trial with two results stops every claim; the first three are shown, and of more the count', async (t) => {
  const folder = scratch(t);
  await writeChecks(folder, { ...NO_CHECKS, differ: { a: 'trial a has two results' } });
  const error = await t.throwsAsync(requireUnbroken(folder), { instanceOf: PmvxError });
  t.is(error?.code, ExitCode.image);
  const lines = (count: number) =>
    brokenRun(
      '/r',
      Array.from({ length: count }, (_, at) => `two results of ${at}`),
    ).message.split('\n');
  t.is(lines(1).length, 2);
  t.is(lines(3).length, 4);
  t.false(lines(3).some((line) => line.includes('trials in all')));
  t.is(lines(4).length, 4);
  t.true(lines(4).every((line) => line.startsWith('/r: ')));
  t.deepEqual(lines(4).slice(0, 3), ['/r: two results of 0', '/r: two results of 1', '/r: two results of 2']);
  t.regex(lines(4)[3] ?? '', /on every host \(4 trials in all\): the lab is broken.*image verify/);
});
