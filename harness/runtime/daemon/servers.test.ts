// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';

const PROGRAM = `
import { openControl } from '${join(import.meta.dirname, 'control-server.ts')}';
import { openMetricsPlace } from '${join(import.meta.dirname, 'metrics-server.ts')}';
const control = await openControl(process.argv[1], {});
const metrics = await openMetricsPlace('unix:' + process.argv[2], async () => '');
const alive = setInterval(() => {}, 1000);
process.on('SIGTERM', () => {
  control.close();
  metrics.close();
  clearInterval(alive);
});
console.log('ready');
`;

test('clients that keep their connections do not keep the daemon from ending', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-servers-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const paths = ['control.sock', 'metrics.sock'].map((name) => join(folder, name));
  const daemon = execa(process.execPath, ['--no-warnings', '--input-type=module', '-e', PROGRAM, ...paths], {
    reject: false,
    forceKillAfterDelay: 120_000,
  });
  t.teardown(() => daemon.kill('SIGKILL'));
  await new Promise((resolve) => daemon.stdout.once('data', resolve));
  const clients = await Promise.all(
    paths.map(async (path) => {
      const client = createConnection(path);
      client.on('error', () => undefined);
      await new Promise((resolve) => client.once('connect', resolve));
      return client;
    }),
  );
  t.teardown(() => clients.map((client) => client.destroy()));
  // An answer shows that the connection was accepted.
  clients[0]?.write('{"id": 1, "method": "nothing"}\n');
  await new Promise((resolve) => clients[0]?.once('data', resolve));
  clients[1]?.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
  await new Promise((resolve) => clients[1]?.once('data', resolve));
  daemon.kill('SIGTERM');
  const { exitCode, signal } = await daemon;
  t.deepEqual({ exitCode, signal }, { exitCode: 0, signal: undefined });
});
