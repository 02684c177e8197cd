// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { GuardianKeeper } from './guardian.ts';

const folder = await mkdtemp(join(tmpdir(), 'pmvx-guardian-'));
test.after.always(() => rm(folder, { recursive: true, force: true }));

test('all that let go of the same at once hear when it is gone', async (t) => {
  // It minds no SIGINT, so there is time to ask twice before it is gone.
  const deaf = spawn('/bin/sh', ['-c', 'trap "" INT; echo on; while :; do sleep 0.1; done'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  t.teardown(() => deaf.kill('SIGKILL'));
  await once(deaf.stdout, 'data');
  const keeper = await GuardianKeeper.start(join(folder, 'kill'));
  t.teardown(() => keeper.close());
  const ward = await keeper.holdProcess(deaf.pid as number);
  const ended = once(deaf, 'exit');
  await t.notThrowsAsync(Promise.all([ward.drop(), ward.drop()]));
  t.deepEqual(await ended, [null, 'SIGKILL']);
  // What is gone may be let go of again.
  await t.notThrowsAsync(ward.drop());
});
