// SPDX-License-Identifier: Apache-2.0
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { writeTextFile } from './state-file.ts';

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

const GREEDY = `
import { statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { openControl } from '${join(import.meta.dirname, 'control-server.ts')}';
const [, folder] = process.argv;
let asked = 0;
const status = async () => {
  asked++;
  return 'x'.repeat(64 * 1024);
};
await openControl(folder + '/run/control.sock', { status });
const modes = ['/run', '/run/control.sock'].map((name) => (statSync(folder + name).mode & 0o777).toString(8));
const client = createConnection(folder + '/run/control.sock');
client.pause();
for (let id = 0; id < 2000; id++) client.write(JSON.stringify({ id, method: 'status' }) + '\\n');
for (let before = -1; before !== asked || asked === 0; await delay(100)) before = asked;
const unread = asked;
let answers = 0;
client.on('data', (chunk) => {
  answers += chunk.filter((byte) => byte === 10).length;
});
client.resume();
while (answers < 2000) await delay(10);
console.log(JSON.stringify({ modes, unread, asked }));
process.exit();
`;

test('a client that asks and does not read has its requests wait in its own socket, and is answered when it reads', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-servers-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { stdout } = await execa(process.execPath, [
    '--no-warnings',
    '--input-type=module',
    '-e',
    GREEDY,
    folder,
  ]);
  const { modes, unread, asked } = JSON.parse(stdout);
  t.deepEqual(modes, ['755', '600']);
  t.true(unread < 200, `${unread} answers were made for nobody`);
  t.is(asked, 2000);
});

test('a file of metrics never follows a link that somebody laid beside it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-servers-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [path, victim] = [join(folder, 'metrics.prom'), join(folder, 'victim')];
  writeFileSync(victim, 'as it was');
  symlinkSync(victim, `${path}.new`);
  writeTextFile(path, 'metrics');
  t.is(readFileSync(victim, 'utf8'), 'as it was');
  t.is(readFileSync(path, 'utf8'), 'metrics');
  t.false(lstatSync(path).isSymbolicLink());
});
