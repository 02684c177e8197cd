// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import test from 'ava';
import { endedChildSeconds } from './child-seconds.ts';
import { LOADS } from './loads.ts';
import { costOf, type MachineCost, median } from './measure.ts';
import { costTable } from './table.ts';

const lap = (virtual: number, host: number, processor: number) => ({ virtual, host, processor });

test('what start and end of a machine cost does not count', (t) => {
  const pairs = [
    [lap(1, 5, 4), lap(3, 7, 5)],
    [lap(1, 50, 40), lap(3, 52, 41)],
    [lap(1, 5, 4), lap(3, 105, 84)],
  ] as const;
  t.deepEqual(costOf('spin', pairs), { load: 'spin', host: 1, processor: 0.5, virtualSeconds: 2 });
});

test('a load without a good pair of forks has no figure, and the table shows that', (t) => {
  t.deepEqual(costOf('spin', []), { load: 'spin' });
  const machine: MachineCost = {
    vcpus: 2,
    quantum: 5000,
    bootSeconds: 10,
    snapshotSeconds: 1,
    snapshotMiB: 160,
    restoreSeconds: 0.123,
    loads: [
      { load: 'idle', host: 0.01, processor: 0.012 },
      { load: 'spin' },
      { load: 'pipe', host: 3, processor: 1.5 },
    ],
  };
  const facts = { date: '2026-01-01', qemu: '10.0', processor: 'P', command: './pmvx image costs quick' };
  const lines = costTable([machine], facts);
  t.true(lines.includes('| vCPUs | quantum | idle | spin | pipe |'));
  t.true(lines.includes('| 2 | 5000 | 0.012 | - | 1.50 * |'), lines.join('\n'));
  t.true(lines.includes('| 2 | 5000 | 10.0 | 1.0 | 160 | 0.12 |'), lines.join('\n'));
});

test('the middle of an even number of values is between two', (t) => {
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([3, 1, 2]), 2);
  t.is(median([]), Number.NaN);
});

test('processor time of a child counts once it has ended', (t) => {
  const before = endedChildSeconds();
  spawnSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 200_000);']);
  const spent = endedChildSeconds() - before;
  t.true(spent > 0.1 && spent < 5, String(spent));
  t.is(endedChildSeconds('7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 150 50 20 0'), 2);
});

test('every load differs between its lengths, on every machine', (t) => {
  for (const load of LOADS) {
    for (const vcpus of [1, 2, 4, 8, 16])
      t.notDeepEqual(load.command(vcpus, 'short'), load.command(vcpus, 'long'));
  }
});
