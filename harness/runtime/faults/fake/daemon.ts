// SPDX-License-Identifier: Apache-2.0
// The daemon, as `pmvx autotune` starts it, in the world without a real kernel: FOLDER of that world, MAP, CONFIG, POLICIES.
import { join } from 'node:path';
import { runDaemon } from '../../daemon/start.ts';
import { fakeWorld } from './world.ts';

const [folder = '', map = '', config = '', policies = ''] = process.argv.slice(2);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('SIGTERM')));

await runDaemon(
  {
    map,
    config,
    state: join(folder, 'state'),
    socket: join(folder, 'daemon.sock'),
    dry: false,
    places: { policies, objects: folder, probes: join(folder, 'probes') },
    env: { ...process.env, RUNTIME_DIRECTORY: folder, STATE_DIRECTORY: join(folder, 'state') },
    say: (line) => console.error(line),
    onSignals: ({ reload, kill }) => {
      process.on('SIGHUP', reload);
      process.on('SIGUSR1', kill);
    },
  },
  stop.signal,
  fakeWorld(folder),
);
