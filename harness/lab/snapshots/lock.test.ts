// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { type FileLock, lockFile } from './lock.ts';
import { scratch } from './scene.ts';

function held(lock: FileLock | string): FileLock {
  if (typeof lock === 'string') throw new Error(lock);
  return lock;
}

test('shared locks go together, an exclusive one goes alone', async (t) => {
  const path = join(scratch(t), 'lock');
  const [one, two] = [held(await lockFile(path, 'shared')), held(await lockFile(path, 'shared'))];
  t.is(await lockFile(path, 'exclusive'), 'taken');
  await one.release();
  t.is(await lockFile(path, 'exclusive'), 'taken');
  await two.release();
  const alone = held(await lockFile(path, 'exclusive'));
  t.is(await lockFile(path, 'shared'), 'taken');
  t.true(alone.held);
  await alone.release();
  t.false(alone.held);
});

test('a lock on a file that was removed or replaced meanwhile is not given', async (t) => {
  for (const replaced of [false, true]) {
    const folder = scratch(t);
    const path = join(folder, 'lock');
    const first = held(await lockFile(path, 'exclusive'));
    const waiting = lockFile(path, 'exclusive', { wait: true });
    // Whether the waiter has opened the file by then makes no difference: it locks the file that the path names, or none.
    await rename(path, join(folder, 'moved'));
    if (replaced) await writeFile(path, '');
    await first.release();
    const second = await waiting;
    if (typeof second === 'string') t.is(second, 'gone');
    else {
      t.is(await lockFile(path, 'exclusive'), 'taken');
      await second.release();
    }
  }
});

test('in a folder that is gone there is nothing to lock; in a file there cannot be', async (t) => {
  const folder = scratch(t);
  t.is(await lockFile(join(folder, 'sub', 'lock'), 'shared'), 'gone');
  await writeFile(join(folder, 'file'), '');
  await rm(join(folder, 'file'));
  await t.throwsAsync(lockFile(folder, 'shared'), { message: /cannot be locked: .*directory/i });
});

test('a lock ends with kill -9 of the process that took it', async (t) => {
  const path = join(scratch(t), 'lock');
  const code = `
    import { lockFile } from '${import.meta.dirname}/lock.ts';
    await lockFile(process.argv[1], 'exclusive');
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  t.is(await lockFile(path, 'exclusive'), 'taken');
  child.kill('SIGKILL');
  await held(await lockFile(path, 'exclusive', { wait: true })).release();
  t.pass();
});
