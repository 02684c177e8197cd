// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { formatLock, lockDifferences, lockWords, type PackageLock, readLock } from './package-lock.ts';

const digest = (letter: string) => letter.repeat(64);
const of = (version: string, letter = 'a') => ({ version, architecture: 'amd64', sha256: digest(letter) });

const LOCK: PackageLock = {
  v: 1,
  recipe: 'quick',
  guestKernel: '7.3.4+deb13-cloud-amd64',
  qemuVersion: '10.0.13',
  guest: { perf: of('7.3'), bash: of('5.2') },
  tools: { gcc: of('14'), make: of('4.4') },
};

test('a lock is written a line a package, sorted, and reads back as it was', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'pmvx-lock-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  t.is(await readLock(root, 'quick'), undefined);
  await mkdir(join(root, 'vm-images/locks'), { recursive: true });
  const text = formatLock(LOCK);
  t.deepEqual(text.split('\n').slice(4, 9), [
    ' "qemuVersion": "10.0.13",',
    ' "guest": {',
    `  "bash": {"version":"5.2","architecture":"amd64","sha256":"${digest('a')}"},`,
    `  "perf": {"version":"7.3","architecture":"amd64","sha256":"${digest('a')}"}`,
    ' },',
  ]);
  await writeFile(join(root, 'vm-images/locks/quick.json'), text);
  t.deepEqual(await readLock(root, 'quick'), LOCK);
});

test('every committed lock can be read, is in its own form and smaller than 150 KiB', async (t) => {
  const root = resolve(import.meta.dirname, '../..');
  const files = await readdir(join(root, 'vm-images/locks'));
  t.true(files.includes('quick.json'));
  for (const file of files) {
    const text = await readFile(join(root, 'vm-images/locks', file), 'utf8');
    const lock = await readLock(root, file.replace(/\.json$/, ''));
    t.is(lock && formatLock(lock), text, file);
    t.true(text.length < 150 * 1024, file);
    t.true(Object.keys(lock?.guest ?? {}).length > 100, file);
  }
});

test('another version, another archive, a new and a lost package are differences', (t) => {
  const installed: PackageLock = {
    ...LOCK,
    guest: { perf: of('7.4'), bash: of('5.2', 'b') },
    tools: { gcc: of('14'), clang: of('19') },
  };
  t.deepEqual(lockDifferences(LOCK, installed), [
    'guest bash: another archive of 5.2',
    'guest perf: 7.3 -> 7.4',
    'tools clang: new, 19',
    'tools make: gone, was 4.4',
  ]);
  t.is(
    lockWords(LOCK, installed),
    '4 of 4 packages differ from vm-images/locks/quick.json: guest bash: another archive of 5.2; guest perf: 7.3 -> 7.4; tools clang: new, 19; ...',
  );
});

test('an image as locked, and one without a lock, are said in one line', (t) => {
  t.is(lockWords(LOCK, LOCK), 'all 4 packages are those of vm-images/locks/quick.json');
  t.is(
    lockWords(undefined, LOCK),
    'no lock to compare with: `./pmvx image lock quick` writes vm-images/locks/quick.json',
  );
});

test('a damaged lock is refused by its path', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'pmvx-lock-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'vm-images/locks'), { recursive: true });
  await writeFile(join(root, 'vm-images/locks/quick.json'), '{"v":1');
  await t.throwsAsync(readLock(root, 'quick'), {
    message:
      'vm-images/locks/quick.json: this list of packages is damaged. Write it anew: `./pmvx image lock quick`',
  });
});
