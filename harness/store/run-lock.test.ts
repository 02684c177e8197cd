// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PmvxError } from '../core/errors.ts';
import { liveness, ownIdentity } from './process-identity.ts';
import { isRunLocked, lockRun } from './run-lock.ts';

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-lock-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const HOLD = `
  import { lockRun } from '${import.meta.dirname}/run-lock.ts';
  const lock = await lockRun(process.argv[1]).catch((error) => error);
  console.log(lock instanceof Error ? 'refused' : lock.tookOver ? 'took over' : 'locked');
  if (!(lock instanceof Error)) setInterval(() => {}, 1000);
`;

function holder(t: ExecutionContext, folder: string) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', HOLD, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return { child, said: once(child.stdout, 'data').then(([data]) => String(data).trim()) };
}

test('a run that a live process holds is refused with its pid; after kill -9 the lock is taken over', async (t) => {
  const folder = scratch(t);
  const { child, said } = holder(t, folder);
  t.is(await said, 'locked');
  t.true(await isRunLocked(folder));
  const error = await t.throwsAsync(lockRun(folder), { instanceOf: PmvxError });
  const self = ownIdentity();
  t.is(
    error.message,
    `${folder}/run.lock: the run is in use by process ${child.pid} on ${self.hostname}. Wait for it to end or stop it`,
  );
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  t.false(await isRunLocked(folder));
  const lock = await lockRun(folder);
  t.true(lock.tookOver);
  t.is((JSON.parse(readFileSync(lock.path, 'utf8')) as { pid: number }).pid, process.pid);
  await lock.release();
  t.deepEqual(readdirSync(folder), []);
});

test('of several controllers that take over the same dead lock at once exactly one gets it', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'run.lock'), `${JSON.stringify({ ...ownIdentity(), startTicks: '1' })}\n`);
  const said = await Promise.all(Array.from({ length: 4 }, () => holder(t, folder).said));
  t.deepEqual(said.sort(), ['refused', 'refused', 'refused', 'took over']);
});

test('a lock is taken over although a controller was killed while it took it over', async (t) => {
  const folder = scratch(t);
  const dead = (nonce: string) => `${JSON.stringify({ ...ownIdentity(), startTicks: '1', nonce })}\n`;
  const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);
  const marker = `run.lock.${digest(dead('a'))}`;
  writeFileSync(join(folder, 'run.lock'), dead('a'));
  writeFileSync(join(folder, marker), dead('b'));
  writeFileSync(join(folder, `${marker}.${digest(dead('b'))}`), dead('c'));
  const lock = await lockRun(folder);
  t.true(lock.tookOver);
  await lock.release();
  t.deepEqual(readdirSync(folder), []);
});

test('a pid that was given to another process since does not keep a lock', (t) => {
  const self = ownIdentity();
  t.is(liveness(self, self), 'alive');
  t.is(liveness({ ...self, startTicks: '1' }, self), 'dead');
  t.is(liveness({ ...self, bootId: 'before' }, self), 'dead');
  t.is(liveness({ ...self, pidNamespace: 'pid:[1]' }, self), 'unknown');
  t.is(liveness({ ...self, bootId: 'other', hostname: 'elsewhere' }, self), 'unknown');
});

test('a lock from another machine, or one that cannot be read, is left alone with advice', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'run.lock');
  const advice =
    'Whether it still runs cannot be seen from here; if it does not, delete this file and try again';
  writeFileSync(path, `${JSON.stringify({ ...ownIdentity(), pid: 5, bootId: 'x', hostname: 'node7' })}\n`);
  await t.throwsAsync(lockRun(folder), {
    message: `${path}: the run is in use by process 5 on node7. ${advice}`,
  });
  writeFileSync(path, '');
  await t.throwsAsync(lockRun(folder), {
    message: `${path}: the run is in use by somebody unknown. ${advice}`,
  });
  t.true(existsSync(path));
});

test('releasing never removes a lock that somebody else has put there', async (t) => {
  const folder = scratch(t);
  const lock = await lockRun(folder);
  writeFileSync(lock.path, 'theirs');
  await lock.release();
  t.is(readFileSync(lock.path, 'utf8'), 'theirs');
});
