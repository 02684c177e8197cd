// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { runDaemon } from '../../runtime/daemon/start.ts';

/**
 * `pmvx autotune` in the guest of a replay, without the command line around it: MAP CONFIG JOURNAL SOCKET STATE. Ends at SIGTERM, as a
 * service's does.
 */
const [map = '', config = '', journal = '', socket = '', state = ''] = process.argv.slice(2);
const root = join(import.meta.dirname, '../../..');
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('SIGTERM')));

await runDaemon(
  {
    map,
    config,
    journal,
    socket,
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
