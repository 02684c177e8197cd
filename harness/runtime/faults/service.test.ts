// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { injectFaults } from './inject.ts';
import { Service } from './service.ts';
import type { Site } from './site.ts';

function service(t: ExecutionContext, program: string): { broken: Service; log: string } {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-service-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'daemon.log');
  const broken = new Service({
    argv: [process.execPath, '-e', program],
    socket: join(folder, 'daemon.sock'),
    log,
    restartMs: 5,
  });
  return { broken, log };
}

test('a daemon that cannot start fails the campaign with its own words, and is not started for ever', async (t) => {
  const { broken } = service(t, 'console.error("policies cannot be read"); process.exit(1)');
  while (broken.starts < 3) await delay(5);
  await t.throwsAsync(broken.ready(1), { message: /no daemon answers .*policies cannot be read/s });
  await broken.stop();
});

test('a daemon that does not end when told is killed, and that is a failure', async (t) => {
  const { broken, log } = service(
    t,
    'process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6); console.error("up")',
  );
  const { pid } = broken;
  while (!readFileSync(log, 'utf8').includes('up')) await delay(5);
  await t.throwsAsync(broken.stop(50), { message: /did not end at SIGTERM within 50 ms/ });
  t.throws(() => process.kill(pid as number, 0), { code: 'ESRCH' });
});

test('a latch that nobody can open ends the campaign with what the daemon says', async (t) => {
  let nowNs = 0;
  const latched = {
    nowNs: () => (nowNs += 1e9),
    kinds: ['eject'],
    status: async () => ({ mode: 'killed', faults: ['sysrq'] }),
    resume: async () => undefined,
  } as unknown as Site;
  const options = { seed: 1, count: 1, patienceMs: 1000, say: () => undefined };
  await t.throwsAsync(injectFaults(latched, options), { message: /does not come to rest: killed, sysrq/ });
});
