// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { commandFor } from './command.ts';
import type { Seed } from './seed.ts';
import { type Workload, WorkloadSchema } from './workload.ts';

// The commands that are made here, as bpf/guest/serve/serve.c takes them.

const folder = await mkdtemp(join(tmpdir(), 'pmvx-serve-'));
const serve = join(folder, 'serve');
test.after.always(() => rm(folder, { recursive: true, force: true }));
test.before(async () => {
  const source = join(import.meta.dirname, '../../bpf/guest/serve/serve.c');
  await execa('gcc', ['-std=gnu11', '-O2', '-static', '-o', serve, source]);
});

/** A workload whose server notes its process id in `mark`, listens at `socket`, and does what `more` says. */
function workload(name: string, more: string, run: readonly string[]): Workload {
  const [mark, socket] = [join(folder, `${name}-pid`), join(folder, `${name}-socket`)];
  const script = `${more}; require('fs').writeFileSync('${mark}', String(process.pid)); require('net').createServer().listen('${socket}')`;
  const definition = WorkloadSchema.parse({
    ...{ summary: 'a', class: 'network', source: 'a', params: {}, seed: 'a', argv: run },
    servers: [{ argv: [process.execPath, '-e', script, '--', `\${seed}`], ready: { socket } }],
    metrics: { time: { unit: 's', direction: 'lower', primary: true, pattern: '(.)', about: 'a' } },
    ...{ deadline_s: 60, takes_s: { exact: 1, kvm: 1 } },
  });
  return { id: name, definition };
}

const argumentsOf = (of: Workload): string[] => commandFor(of, {}, 77 as Seed).run.slice(1);
const pidOf = async (name: string): Promise<number> =>
  Number(await readFile(join(folder, `${name}-pid`), 'utf8'));

/** Whether a process is there and no zombie. */
async function lives(pid: number): Promise<boolean> {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) [ZX]/.test(stat);
}

test('the server is ready when the run starts, has the seed, and is gone when the run has ended', async (t) => {
  const seed = `if (process.argv[1] !== '77') process.exit(9)`;
  const ended = await execa(
    serve,
    argumentsOf(
      workload('plain', seed, ['/bin/sh', '-c', 'test -S $0 && echo there', join(folder, 'plain-socket')]),
    ),
  );
  t.is(ended.stdout, 'there');
  t.false(await lives(await pidOf('plain')));
});

test('a server that takes no notice of SIGTERM is killed, and the status is that of the run', async (t) => {
  const deaf = `process.on('SIGTERM', () => {})`;
  const ended = await execa(serve, argumentsOf(workload('deaf', deaf, ['/bin/sh', '-c', 'exit 3'])), {
    reject: false,
  });
  t.is(ended.exitCode, 3);
  t.false(await lives(await pidOf('deaf')));
});

test('servers die with the one that started them', async (t) => {
  const running = execa(
    serve,
    argumentsOf(workload('orphan', '', ['/bin/sh', '-c', 'echo up; exec sleep 600'])),
    {
      reject: false,
    },
  );
  await new Promise((resolve) => running.stdout.once('data', resolve));
  const pid = await pidOf('orphan');
  t.true(await lives(pid));
  running.kill('SIGKILL');
  await running;
  for (let looks = 0; looks < 12_000 && (await lives(pid)); looks++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.false(await lives(pid));
});
