// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { boundTo } from '../../lab/machine-process.ts';
import { Draw } from '../draw.ts';
import { becomes } from '../processes.ts';
import type { Disturbance } from './disturbance.ts';
import { DISTURBANCES } from './disturbances.ts';

/** A process that works, as a machine does. */
function worker(t: ExecutionContext): number {
  const [program, ...args] = boundTo(process.pid, [process.execPath, '-e', 'setInterval(() => {}, 5)']);
  const child = spawn(program, args, { stdio: 'ignore' });
  t.teardown(async () => {
    const end = once(child, 'close');
    child.kill('SIGKILL');
    await end;
  });
  return child.pid as number;
}

function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
}

const named = (name: string) => DISTURBANCES.find((each) => each.name === name) as Disturbance;

for (const name of ['pauses', 'pauses-window', 'pauses-long']) {
  test(`${name}: a machine that was stopped when the disturbance is called off runs on`, async (t) => {
    const pid = worker(t);
    const over = new AbortController();
    const striking = named(name).strike?.({ pid, draw: new Draw(1, name), done: over.signal });
    t.true(await becomes(() => stateOf(pid) === 'T', 60_000, 1));
    over.abort();
    t.true(((await striking) ?? 0) >= 1);
    t.true(await becomes(() => stateOf(pid) !== 'T', 60_000));
  });
}

test('a disturbance ends by itself when its machine has ended', async (t) => {
  const child = spawn('true', { stdio: 'ignore' });
  const pid = child.pid as number;
  await once(child, 'close');
  const { signal } = new AbortController();
  t.is(await named('pauses-window').strike?.({ pid, draw: new Draw(1), done: signal }), 0);
});

test('what a kind of start becomes is the command after it', (t) => {
  const draw = new Draw(5);
  const starts = DISTURBANCES.flatMap(({ start, obstacle }) =>
    start === undefined || obstacle?.() !== undefined ? [] : [start(draw)],
  );
  t.true(starts.some(({ plainHost }) => plainHost === true));
  for (const { prefix = [] } of starts) {
    const [program, ...args] = boundTo(process.pid, [...prefix, 'sh', '-c', 'exit 7']);
    t.is(spawnSync(program, args, { stdio: 'ignore' }).status, 7, prefix.join(' '));
  }
});
