// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { startMachine } from '../machine-process.ts';
import { type Monitor, openMonitor } from './monitor.ts';

const GREET = 'echo \'{"QMP": {}}\' >&3; ';
const ANSWER = 'read command <&3; echo \'{"return": {}}\' >&3; ';

/** The monitor of a process that answers as `script` says. */
function opened(t: ExecutionContext, script: string): Promise<Monitor> {
  const { signal } = new AbortController();
  const running = startMachine(['sh', '-c', script], { cwd: '/', deadlineMs: 300_000, signal });
  t.teardown(() => {
    running.kill();
    return running.ended;
  });
  return openMonitor(running.monitor);
}

/** Fails instead of waiting for ever: an unsettled promise does not keep a process alive. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  const late = new AbortController();
  const tooLate = delay(20_000, undefined, { signal: late.signal }).then(() => {
    throw new Error('nothing happened within 20 s');
  });
  tooLate.catch(() => undefined);
  return Promise.race([promise, tooLate]).finally(() => late.abort());
}

test('a command returns what the machine answers, or rejects with its words', async (t) => {
  const status = 'read command <&3; echo \'{"return": {"status": "running"}}\' >&3; ';
  const refusal = 'read command <&3; echo \'{"error": {"desc": "no such thing"}}\' >&3; read on <&3';
  const monitor = await soon(opened(t, GREET + ANSWER + status + refusal));
  t.deepEqual(await soon(monitor.command('query-status')), { status: 'running' });
  await t.throwsAsync(soon(monitor.command('fly')), { message: 'QEMU refused fly: no such thing' });
});

test('an event that came before anybody asked is not lost', async (t) => {
  const stop = 'echo \'{"event": "STOP"}\' >&3; ';
  const monitor = await soon(
    opened(t, `${GREET}read command <&3; ${stop}echo '{"return": {}}' >&3; read on <&3`),
  );
  await t.notThrowsAsync(soon(monitor.event('STOP')));
});

test('whoever waits for an event hears that the machine was killed', async (t) => {
  const monitor = await soon(opened(t, `${GREET}${ANSWER}sleep 0.2; kill -BUS $$`));
  await t.throwsAsync(soon(monitor.event('STOP')), { message: 'the machine ended' });
});

test('a machine that is killed before it has read a command is heard of, too', async (t) => {
  await t.throwsAsync(soon(opened(t, `${GREET}sleep 0.3; kill -BUS $$`)), { message: 'the machine ended' });
});

test('a machine that never greets is heard of when it ends', async (t) => {
  await t.throwsAsync(soon(opened(t, 'exit 1')), { message: 'the machine ended' });
});
