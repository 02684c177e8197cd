// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { sampleCompleted } from '../store/sample-records.ts';
import { overheadCsv, overheadMarkdown, overheadRows, type ProbeArm } from './bench-probes-report.ts';

const time = (value: number) => [
  { name: 'time', unit: 's', direction: 'lower', primary: true, value } as const,
];
const record = (block: number, value: number, missed?: number) =>
  sampleCompleted({
    block,
    workload: 'hackbench',
    variant: 'v',
    metrics: time(value),
    ...(missed === undefined ? {} : { probes: { cpu: { missed, ns: 1, counters: {} } } }),
  });

const arms: ProbeArm[] = [
  { sets: [], records: [record(0, 1), record(1, 2)] },
  { sets: ['cpu'], records: [record(1, 2.04, 3), record(0, 1.02, 4)] },
];

test('overhead pairs the same block with and without probes, whatever the order', (t) => {
  const [row] = overheadRows(arms);
  if (row?.ratio.kind !== 'interval') return t.fail('no interval');
  t.true(Math.abs(row.ratio.ratio - 1.02) < 1e-12);
  t.like(row, { workload: 'hackbench', planned: 2, completed: 2, missed: 7 });
});

test('a set that completed nothing has no overhead: its cells are empty, and it is not left out', (t) => {
  const rows = overheadRows([arms[0] as ProbeArm, { sets: ['mem'], records: [] }]);
  t.is(overheadCsv(rows).split('\n')[1], 'hackbench,v,mem,all,,,,0,0,0,0');
  t.regex(overheadMarkdown(rows, 'pmvx bench probes'), /\| hackbench v \| mem \| all \| - \| - \| 0 \| 0 \|/);
});

test('an arm that counts frequent events for a part of the time has a row of its own', (t) => {
  const turn = '50 of 1000 ms';
  const rows = overheadRows([...arms, { sets: ['cpu'], turn, records: [record(0, 1), record(1, 2)] }]);
  t.deepEqual(
    rows.map((row) => [row.turn, row.ratio.pairs]),
    [
      [undefined, 2],
      [turn, 2],
    ],
  );
  t.regex(overheadMarkdown(rows, 'x'), /\| cpu \| 50 of 1000 ms \| 0\.00 % \|/);
});

test('the table says shares in per cent, with the command that made it', (t) => {
  const text = overheadMarkdown(overheadRows(arms), 'pmvx bench probes');
  t.regex(text, /\| hackbench v \| cpu \| all \| 2\.00 % \| 2\.00 % to 2\.00 % \| 2 \| 7 \|/);
  t.regex(text, /Made by `pmvx bench probes`/);
});
