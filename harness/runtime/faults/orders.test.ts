// SPDX-License-Identifier: Apache-2.0
// What a daemon, as a process, does when it is told: by each signal, by the kill file, by a configuration that is none.
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Status } from '../contracts.ts';
import { openFakeSite } from './fake/site.ts';
import { childNamed, homeAfter } from './hang.ts';

const PATIENCE_MS = 60_000;

test('each order is obeyed, and a bad configuration changes nothing', async (t) => {
  t.timeout(10 * PATIENCE_MS);
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-orders-'));
  const site = await openFakeSite(folder, { guardianMs: 10_000, patienceMs: PATIENCE_MS });
  const { service, isHome } = site;
  const home = { isHome, nowNs: site.nowNs, patienceMs: PATIENCE_MS };
  const pid = () => service.pid as number;
  const guardian = () => childNamed(pid(), 'pmvx-guardian') as number;
  const until = async (what: string, seen: (status: Status) => boolean): Promise<Status> => {
    const untilMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const status = await site.status();
      if (status !== undefined && seen(status)) return status;
      if (performance.now() > untilMs) throw new Error(`not seen: ${what}; last: ${JSON.stringify(status)}`);
      await delay(20);
    }
  };
  try {
    const orders: Readonly<Record<string, () => unknown>> = {
      'SIGUSR1 to the daemon': () => process.kill(pid(), 'SIGUSR1'),
      'SIGUSR1 to the guardian': () => process.kill(guardian(), 'SIGUSR1'),
      'the kill file': () => writeFileSync(join(folder, 'state/killed'), ''),
    };
    for (const [order, give] of Object.entries(orders)) {
      for (const policy of ['link-a', 'child', 'setting']) {
        t.is(await site.apply(policy), undefined, `${policy} before ${order}`);
        await homeAfter(give, home);
        await until(`${order}: killed`, ({ mode, policy: now }) => mode === 'killed' && now === 'eevdf');
        t.regex((await site.apply(policy)) ?? '', /killed|latched|SIGUSR1|kill file/, 'nothing takes effect');
        await site.resume();
      }
    }
    const config = join(folder, 'config.yaml');
    const good = readFileSync(config, 'utf8');
    appendFileSync(config, 'windowMs: never\n');
    t.is(await service.ask('reload', {}), undefined);
    t.regex(service.refusal ?? '', /config\.yaml.*windowMs/s);
    process.kill(pid(), 'SIGHUP');
    let refused: unknown;
    while (refused === undefined) {
      const lines = await site.journal();
      refused = lines.find((line) => line.kind === 'event' && line.event === 'reload-refused');
      await delay(20);
    }
    t.is((await site.status())?.mode, 'running');
    writeFileSync(config, good);
    t.truthy(await service.ask('reload', {}));
    // A guardian that is told to end ends, and a daemon without one does: the next one comes up.
    t.is(await site.apply('link-b'), undefined);
    const before = pid();
    await homeAfter(() => process.kill(guardian(), 'SIGTERM'), home);
    await until('another daemon', (status) => status.pid !== before && status.mode === 'running');
    t.is(await site.apply('setting'), undefined);
    await homeAfter(() => process.kill(pid(), 'SIGTERM'), home);
  } finally {
    await site.close();
  }
});
