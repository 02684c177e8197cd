// SPDX-License-Identifier: GPL-2.0-only
import { lstat, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';

const folder = await mkdtemp(join(tmpdir(), 'pmvx-serve-'));
const serve = join(folder, 'serve');
test.after.always(() => rm(folder, { recursive: true, force: true }));
test.before(async () => {
  const strict = ['-std=gnu11', '-O2', '-static', '-Wall', '-Wextra', '-Werror'];
  await execa('gcc', [...strict, '-o', serve, join(import.meta.dirname, 'serve.c')]);
});

/** A server on a port or a socket, after a while; notes its end in a file. */
const server = (where: string, mark: string) => [
  process.execPath,
  '-e',
  `process.on('SIGTERM', () => { require('fs').writeFileSync(${JSON.stringify(mark)}, 'stopped'); process.exit(0); });
   console.log('chatter');
   setTimeout(() => require('net').createServer().listen(${where}), 50);`,
];
const call = (args: readonly (string | number)[]) =>
  execa(serve, args.map(String), { reject: false, timeout: 300_000 });

test('servers are awaited by port and by socket, and stopped after the run, whose output alone is on stdout', async (t) => {
  const [first, second] = [join(folder, 'one'), join(folder, 'two')];
  const socket = join(folder, 'socket');
  const tcp = server(`38471, '127.0.0.1'`, first);
  const unix = server(JSON.stringify(socket), second);
  const run = ['/bin/sh', '-c', 'echo result; exit 7'];
  const ended = await call([
    ...['--port', 38471, tcp.length, ...tcp],
    ...['--socket', socket, unix.length, ...unix],
    ...['--', ...run],
  ]);
  t.is(ended.stdout, 'result');
  t.is(ended.exitCode, 7);
  t.is(ended.stderr, 'chatter\nchatter');
  t.is(await readFile(first, 'utf8'), 'stopped');
  t.is(await readFile(second, 'utf8'), 'stopped');
});

test('a socket that nobody listens at is not ready', async (t) => {
  const [mark, socket] = [join(folder, 'third'), join(folder, 'stale')];
  const left = `process.on('exit', () => require('fs').linkSync('${socket}.new', '${socket}'));
    require('net').createServer().listen('${socket}.new', () => process.exit(0))`;
  await execa(process.execPath, ['-e', left]);
  t.true((await lstat(socket)).isSocket());
  const late = server(JSON.stringify(`${socket}`), mark);
  late[2] += `; setTimeout(() => require('fs').unlinkSync(${JSON.stringify(socket)}), 40)`;
  const connect = `require('net').connect('${socket}').on('connect', () => process.exit(0)).on('error', () => process.exit(9))`;
  const ended = await call([
    ...['--socket', socket, late.length, ...late],
    ...['--', process.execPath, '-e', connect],
  ]);
  t.is(ended.exitCode, 0);
});

test('a server that ends before it is ready is named with its status, and nothing is run', async (t) => {
  const mark = join(folder, 'never');
  const ended = await call(['--port', 38472, 3, '/bin/sh', '-c', 'exit 3', '--', '/bin/touch', mark]);
  t.is(ended.exitCode, 1);
  t.is(ended.stderr, 'serve: /bin/sh ended before it was ready (status 3)');
  await t.throwsAsync(readFile(mark));
});

test('a server that ends during the run ends the run as failed', async (t) => {
  const runs = join(folder, 'runs');
  const short = [
    process.execPath,
    '-e',
    `require('net').createServer().listen(38473);
     setInterval(() => require('fs').existsSync(${JSON.stringify(runs)}) && process.exit(5), 10)`,
  ];
  const run = ['/bin/sh', '-c', 'echo >$0; exec sleep 600', runs];
  const ended = await call(['--port', 38473, short.length, ...short, '--', ...run]);
  t.is(ended.exitCode, 1);
  t.regex(ended.stderr, /ended during the run \(status 5\)$/);
});

test('a run that is killed by a signal says so in its status', async (t) => {
  const tcp = server(`38474, '127.0.0.1'`, join(folder, 'three'));
  const run = ['/bin/sh', '-c', 'kill -9 $$'];
  t.is((await call(['--port', 38474, tcp.length, ...tcp, '--', ...run])).exitCode, 137);
});

test('arguments that make no sense are refused', async (t) => {
  await writeFile(join(folder, 'x'), '');
  for (const args of [
    [],
    ['--'],
    ['--port', 1, 1, 'a'],
    ['--port', 0, 1, 'a', '--', 'b'],
    ['--port', 9, 9, 'a', '--', 'b'],
  ]) {
    const ended = await call(args);
    t.is(ended.exitCode, 2, args.join(' '));
    t.regex(ended.stderr, /^usage: serve /);
  }
});
