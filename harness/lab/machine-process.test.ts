// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { processesIn, until } from '../run/vm/watch-processes.ts';
import { boundTo, runMachineProcess } from './machine-process.ts';

const NEVER = new AbortController().signal;

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-process-')));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function shell(cwd: string, script: string, deadlineMs = 60_000, signal = NEVER) {
  return runMachineProcess(['sh', '-c', script], { cwd, deadlineMs, signal });
}

test('a process that ends has its exit code and last words, and ran in its folder', async (t) => {
  const cwd = await newFolder(t);
  t.deepEqual(await shell(cwd, 'pwd >&2; exit 3'), { exitCode: 3, stderr: cwd, reachedDeadline: false });
  t.deepEqual(await shell(cwd, 'true'), { exitCode: 0, stderr: '', reachedDeadline: false });
});

test('a process that is killed has the signal', async (t) => {
  const ended = await shell(await newFolder(t), 'kill -KILL $$');
  t.is(ended.signal, 'SIGKILL');
  t.false(ended.reachedDeadline);
});

test('a program that is not there ends with the code and words that say so', async (t) => {
  const cwd = await newFolder(t);
  const ended = await runMachineProcess(['/none/qemu', '-x'], { cwd, deadlineMs: 300_000, signal: NEVER });
  t.is(ended.exitCode, 127);
  t.regex(ended.stderr, /\/none\/qemu.*(?:No such file|not found)/i);
});

test("nothing of the caller's environment reaches the machine but the path, and sine is the same on every host", async (t) => {
  const ended = await shell(await newFolder(t), 'env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^PATH= >&2');
  t.deepEqual(ended.stderr.split('\n').sort(), ['GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4', 'LC_ALL=C']);
});

test('a machine stands in a session of its own, so that Ctrl-C in the terminal passes it by', async (t) => {
  const ended = await shell(await newFolder(t), 'cut -d" " -f6 /proc/self/stat >&2; echo $$ >&2');
  const [session, own] = ended.stderr.split('\n');
  t.is(session, own);
});

test('a process that outlives its deadline is killed, and says that it was for that', async (t) => {
  const cwd = await newFolder(t);
  const ended = await shell(cwd, 'exec sleep 1000', 50.5);
  t.true(ended.reachedDeadline);
  t.is(ended.signal, 'SIGTERM');
  t.deepEqual(processesIn(cwd), []);
});

test('a process that ignores a polite end is killed all the same', async (t) => {
  const cwd = await newFolder(t);
  const ended = await shell(cwd, "trap '' TERM; exec sleep 1000", 50);
  t.true(ended.reachedDeadline);
  t.is(ended.signal, 'SIGKILL');
});

test('aborting kills the process and rejects with the reason once it is gone', async (t) => {
  const cwd = await newFolder(t);
  const stop = new AbortController();
  const reason = new Error('stopped by the user');
  const end = shell(cwd, 'exec sleep 1000', 60_000, stop.signal);
  await until('the process runs', () => processesIn(cwd).length === 1);
  stop.abort(reason);
  t.is(await t.throwsAsync(end), reason);
  t.deepEqual(processesIn(cwd), []);
});

test('a run that was aborted before starts nothing', async (t) => {
  const reason = new Error('stopped by the user');
  t.is(await t.throwsAsync(shell('/', 'exit 0', 60_000, AbortSignal.abort(reason))), reason);
});

/** A controller of one machine, as a process that can be killed. */
function controllerOf(cwd: string) {
  const script = `
    import { runMachineProcess } from ${JSON.stringify(join(import.meta.dirname, 'machine-process.ts'))};
    const options = { cwd: ${JSON.stringify(cwd)}, deadlineMs: 300_000, signal: new AbortController().signal };
    console.log('ready');
    await runMachineProcess(['sleep', '1000'], options);`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('a machine dies with its controller when that is killed outright', async (t) => {
  const cwd = await newFolder(t);
  const controller = controllerOf(cwd);
  await until('the machine runs', () => processesIn(cwd).some((pid) => named(pid) === 'sleep'));
  controller.kill('SIGKILL');
  await once(controller, 'close');
  await until('the machine is gone', () => processesIn(cwd).length === 0, 3000);
  t.pass();
});

test('a machine whose controller was killed while it was being started does not start', async (t) => {
  const started = async (parent: number) => {
    const [program, ...args] = boundTo(parent, ['echo', 'started']);
    return (await execa(program, args, { reject: false })).stdout;
  };
  t.is(await started(process.pid), 'started');
  // What a command sees whose parent is gone: another one took it over.
  t.is(await started(process.pid + 1), '');
});

function named(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
