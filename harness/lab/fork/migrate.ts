// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { Monitor } from './monitor.ts';

/** Memory is in files that snapshot and forks map; only vCPUs and devices go through QEMU's migration. */
const CAPABILITIES = [{ capability: 'x-ignore-shared', state: true }];

/**
 * After a restore QEMU announces the machine to the network, by timers on real time. There is no network, but the timers disturb the
 * round robin of vCPUs.
 */
const NO_ANNOUNCEMENT = {
  'announce-initial': 0,
  'announce-max': 0,
  'announce-rounds': 0,
  'announce-step': 1,
};

/** Saves a stopped machine's vCPUs and devices to a file. */
export async function saveState(monitor: Monitor, path: string): Promise<void> {
  await monitor.command('migrate-set-capabilities', { capabilities: CAPABILITIES });
  await monitor.command('migrate', { uri: `file:${path}` });
  await migrated(monitor, 'saved');
}

/** Restores them into a machine that was started with `-incoming defer`, and lets it run. */
export async function restoreState(monitor: Monitor, path: string): Promise<void> {
  await monitor.command('migrate-set-capabilities', { capabilities: CAPABILITIES });
  await monitor.command('migrate-set-parameters', NO_ANNOUNCEMENT);
  await monitor.command('migrate-incoming', { uri: `file:${path}` });
  await migrated(monitor, 'restored');
  await monitor.command('cont');
}

async function migrated(monitor: Monitor, what: string): Promise<void> {
  for (;;) {
    const answer = (await monitor.command('query-migrate')) as { status?: string; 'error-desc'?: string };
    if (answer.status === 'completed') return;
    if (answer.status === 'failed' || answer.status === 'cancelled') {
      throw new Error(`the machine could not be ${what}: ${answer['error-desc'] ?? answer.status}`);
    }
    await sleep(3);
  }
}
