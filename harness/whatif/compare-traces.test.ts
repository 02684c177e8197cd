// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { compareTraces } from './compare-traces.ts';
import { traceLines } from './trace.ts';

const START = ['100 0 0 7 bench', '200 1 0 8 bench', '300 0 7 9 my tool', '400 1 8 0 swapper/1'];

/** Lines in batches of `size`, so that batches of two sides do not end together. */
function batches(lines: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, at) =>
    lines.slice(at * size, (at + 1) * size),
  );
}

test('equal traces have no difference, however they come', async (t) => {
  const result = await compareTraces(batches(START, 1), batches(START, 3));
  t.is(result.common, 4);
  t.is(result.first, undefined);
  t.is(result.firstChoice, undefined);
  t.deepEqual(result.left, result.right);
  t.deepEqual(result.left, {
    switches: 4,
    byVcpu: [2, 2],
    commands: [
      { comm: 'bench', switches: 2 },
      { comm: 'my tool', switches: 1 },
    ],
    toIdle: 1,
    unreadable: 0,
  });
});

test('another thread is a difference in choice, with the threads named and the last three common switches', async (t) => {
  const left = [...START, '500 0 9 7 bench', '600 1 0 8 bench'];
  const right = [...START, '450 1 0 11 kworker/1:1'];
  for (const [a, b] of [
    [1, 4],
    [4, 1],
    [2, 3],
    [9, 9],
  ] as const) {
    const result = await compareTraces(batches(left, a), batches(right, b));
    t.is(result.common, 4);
    const first = {
      left: { virtualNs: 500, vcpu: 0, from: { tid: 9, comm: 'my tool' }, to: { tid: 7, comm: 'bench' } },
      right: {
        virtualNs: 450,
        vcpu: 1,
        from: { tid: 0, comm: 'idle' },
        to: { tid: 11, comm: 'kworker/1:1' },
      },
    };
    t.deepEqual(result.first, first);
    t.deepEqual(result.firstChoice, { ...first, after: 4 });
    t.deepEqual(
      result.lastCommon.map(({ virtualNs }) => virtualNs),
      [200, 300, 400],
    );
    t.is(result.left.switches, 6);
    t.deepEqual(result.right.byVcpu, [2, 3]);
  }
});

test('another time is a difference, and the first other choice is told apart from it', async (t) => {
  const left = [...START, '500 0 9 7 bench', '600 1 0 8 bench', '700 0 7 0 swapper/0'];
  const right = [...START, '504 0 9 7 bench', '604 1 0 8 bench', '700 0 7 9 my tool'];
  const result = await compareTraces(batches(left, 2), batches(right, 5));
  t.is(result.common, 4);
  t.is(result.first?.left?.virtualNs, 500);
  t.is(result.first?.right?.virtualNs, 504);
  t.is(result.firstChoice?.after, 6);
  t.is(result.firstChoice?.left?.to.tid, 0);
  t.is(result.firstChoice?.right?.to.tid, 9);
  t.is(result.left.switches, 7);
});

test('where only times differ there is no other choice', async (t) => {
  const result = await compareTraces([[...START, '500 0 9 7 bench']], [[...START, '501 0 9 7 bench']]);
  t.is(result.first?.left?.virtualNs, 500);
  t.is(result.firstChoice, undefined);
});

test('a trace that ends earlier differs where it ends, also when it is empty', async (t) => {
  const short = await compareTraces([START], [START.slice(0, 3)]);
  t.is(short.common, 3);
  t.is(short.first?.left?.virtualNs, 400);
  t.is(short.first?.right, undefined);
  const empty = await compareTraces([], [START]);
  t.is(empty.common, 0);
  t.is(empty.first?.left, undefined);
  t.deepEqual(empty.first?.right?.to, { tid: 7, comm: 'bench' });
  t.deepEqual(empty.first?.right?.from, { tid: 0, comm: 'idle' });
});

test('a thread that had not run since the fork point has no name, and lines that are no switch are counted', async (t) => {
  const result = await compareTraces([['1 0 5 6 a', 'rest of a name']], [['1 0 5 6 a']]);
  t.deepEqual(result.lastCommon[0]?.from, { tid: 5 });
  t.is(result.left.unreadable, 1);
});

test('only the ten commands that came most often are named, most first', async (t) => {
  const lines = Array.from({ length: 12 }, (_, at) =>
    Array.from({ length: at + 1 }, (_each, time) => `${at * 100 + time} 0 0 ${at + 1} c${at}`),
  ).flat();
  const { left } = await compareTraces([lines], [lines]);
  t.deepEqual(
    left.commands.map(({ comm }) => comm),
    ['c11', 'c10', 'c9', 'c8', 'c7', 'c6', 'c5', 'c4', 'c3', 'c2'],
  );
});

test('a file larger than one read gives every line once, and its last without a line end', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-trace-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const lines = Array.from({ length: 100_000 }, (_, at) => `${at * 1000} ${at % 4} ${at} ${at + 1} bench`);
  const path = join(folder, 'switches');
  writeFileSync(path, lines.join('\n'));
  const { common, first, left } = await compareTraces(traceLines(path), batches(lines, 777));
  t.is(common, 100_000);
  t.is(first, undefined);
  t.deepEqual(left.byVcpu, [25_000, 25_000, 25_000, 25_000]);
});
