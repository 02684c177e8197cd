// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { halfBusy } from '../../analysis/features/sample-counted.ts';
import { noteTuned, readQueue, readTuned, type Tuned, tunedPath } from './queue.ts';

const MACHINE = {
  engine: 'exact',
  kernel: '7.3.4',
  nodes: 1,
  sockets: 1,
  cores: 4,
  threads: 1,
  cpu: '250 MIPS',
};

/** A line as pmvx autotune writes it. */
function queueLine(at: string, scale = 1): string {
  const counted = halfBusy(scale);
  const counters = Object.fromEntries(
    Object.entries(counted.sets).map(([set, values]) => [
      set,
      { ns: counted.durationNs, missed: 0, counters: values },
    ]),
  );
  const window = {
    index: 3,
    ms: counted.durationNs / 1e6,
    counters,
    vector: { features: 'features-1', values: [1] },
    health: { pressure: {} },
  };
  return `${JSON.stringify({ v: 1, at, machine: MACHINE, window, nearest: 0.7, policy: 'eevdf' })}\n`;
}

async function queueIn(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-queue-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'queue.jsonl');
}

test('a queue is read line by line, each content once, and a line that is being written is left for later', async (t) => {
  const path = await queueIn(t);
  const [one, two] = [queueLine('2026-01-01T00:00:00Z'), queueLine('2026-01-01T00:01:00Z', 2)];
  await writeFile(path, one + one + two.slice(0, 300));
  const first = await readQueue(path);
  t.is(first.windows.length, 1);
  t.deepEqual(first.faults, []);
  t.like(first.windows[0], { machine: MACHINE, counted: { vcpus: 4, durationNs: 1e9 } });
  t.is(first.windows[0]?.vector.length, 34);
  await appendFile(path, two.slice(300));
  t.is((await readQueue(path)).windows.length, 2);
});

test('a line that is none is told with its number, and the others are read', async (t) => {
  const path = await queueIn(t);
  const good = queueLine('2026-01-01T00:00:00Z');
  await writeFile(
    path,
    `half\n${good}${good.replace('"v":1', '"v":2')}${good.replace('"cores":4', '"cores":0')}`,
  );
  const { windows, faults } = await readQueue(path);
  t.is(windows.length, 1);
  t.deepEqual(
    faults.map((fault) => fault.replace(`${path}:`, '').replace(/(expected \S+|Too small).*/i, '$1')),
    [
      '1: not valid JSON',
      '3: no window: v: Invalid input: expected 1',
      '4: no window: machine.cores: Too small',
    ],
  );
});

test('what became of a window is kept, also after half a line', async (t) => {
  const path = tunedPath(await queueIn(t));
  t.true(path.endsWith('queue.tuned.jsonl'));
  t.deepEqual(await readTuned(path), []);
  const tuned: Tuned = {
    v: 1,
    key: 'a',
    at: 'now',
    vector: [1, 0],
    outcome: 'same-as',
    other: 'b',
    cosine: 1,
  };
  await noteTuned(path, tuned);
  await appendFile(path, '{"v":1,"key":"half');
  await noteTuned(path, { ...tuned, key: 'c' });
  t.deepEqual(
    (await readTuned(path)).map(({ key }) => key),
    ['a', 'c'],
  );
  t.true((await readFile(path, 'utf8')).endsWith('\n'));
});
