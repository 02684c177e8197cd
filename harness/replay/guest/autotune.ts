// SPDX-License-Identifier: Apache-2.0
import { rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ControlClient, connectControl } from '../../runtime/daemon/control-client.ts';
import { runDaemon } from '../../runtime/daemon/start.ts';

/**
 * `pmvx autotune` of a replay, without the command line around it: MAP CONFIG JOURNAL SOCKET STATE [POLICY]. With a policy, it applies that one
 * before it answers at SOCKET. Ends at SIGTERM, as a service's does.
 */
const [map = '', config = '', journal = '', socket = '', state = '', first] = process.argv.slice(2);
const own = first === undefined ? socket : `${socket}.own`;
const root = join(import.meta.dirname, '../../..');
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('SIGTERM')));

const daemon = runDaemon(
  {
    map,
    config,
    journal,
    socket: own,
    state,
    dry: false,
    places: {
      policies: join(root, 'bpf/policies'),
      objects: '/opt/pmvx/sched',
      probes: '/opt/pmvx/probes',
    },
    env: { ...process.env, RUNTIME_DIRECTORY: dirname(socket) },
    say: (line) => console.error(line),
    onSignals: ({ reload, kill }) => {
      process.on('SIGHUP', reload);
      process.on('SIGUSR1', kill);
    },
  },
  stop.signal,
);
if (first !== undefined) await applied(first);
await daemon;

async function applied(policy: string): Promise<void> {
  const control = await connected();
  const line = await control.call('apply', { policy });
  control.close();
  if (!('to' in line) || line.to !== policy)
    throw new Error(`${policy} was not applied: ${JSON.stringify(line)}`);
  rmSync(socket, { force: true });
  symlinkSync(own, socket);
}

/** When the daemon works; rejects when it ends before. */
async function connected(): Promise<ControlClient> {
  const ended = daemon.then(() => Promise.reject(new Error('the daemon ended')));
  for (;;) {
    const control = await Promise.race([connectControl(own).catch(() => undefined), ended]);
    if (control !== undefined) return control;
    await Promise.race([delay(20), ended]);
  }
}
