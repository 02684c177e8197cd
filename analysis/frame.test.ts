// SPDX-License-Identifier: Apache-2.0
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { frameOf, readCsv } from './frame.ts';

const ROWS = [
  { trial: '0002', policy: 'scx_simple', value: 0.1 + 0.2 },
  { trial: '0000', policy: 'eevdf', value: undefined },
  { trial: '0001', policy: 'scx_simple', value: 16777217 },
];
const COLUMNS = ['trial', 'policy', 'value'];

test('rows come back as put in: no float32, no missing cell turned into a number', async (t) => {
  const frame = await frameOf(ROWS, COLUMNS);
  t.deepEqual(frame.rows(), ROWS);
  t.deepEqual(
    frame.select(['value', 'trial']).rows(),
    ROWS.map(({ value, trial }) => ({ value, trial })),
  );
  t.deepEqual(frame.where('policy', 'scx_simple').rows(), [ROWS[0], ROWS[2]]);
  t.deepEqual(frame.where('policy', 'none').select(['value']).rows(), []);
});

test('a join keeps every row in its order and leaves missing what has no partner', async (t) => {
  const frame = await frameOf(ROWS, COLUMNS);
  const kinds = await frameOf(
    [
      { policy: 'eevdf', kind: 'builtin', ops: undefined },
      { policy: 'scx_qmap', kind: 'process', ops: 'qmap' },
    ],
    ['policy', 'kind', 'ops'],
  );
  t.deepEqual(frame.join(kinds, 'policy').rows(), [
    { ...ROWS[0], kind: undefined, ops: undefined },
    { ...ROWS[1], kind: 'builtin', ops: undefined },
    { ...ROWS[2], kind: undefined, ops: undefined },
  ]);
  t.throws(() => kinds.join(frame, 'policy'), { message: 'join: policy is not unique' });
});

test('a pivot has a missing cell where there was no row, and refuses to choose between two values', async (t) => {
  const frame = await frameOf(ROWS, COLUMNS);
  t.deepEqual(frame.pivot('trial', 'policy', 'value').rows(), [
    { trial: '0002', scx_simple: 0.1 + 0.2, eevdf: undefined },
    { trial: '0000', scx_simple: undefined, eevdf: undefined },
    { trial: '0001', scx_simple: 16777217, eevdf: undefined },
  ]);
  const same = await frameOf([ROWS[0] ?? {}, ROWS[0] ?? {}], COLUMNS);
  t.throws(() => same.pivot('policy', 'trial', 'value'), {
    message: 'pivot: two values for policy scx_simple, trial 0002',
  });
});

test('CSV is quoted where needed and reads back equal, ids as text', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-frame-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const rows = [...ROWS, { trial: '0003', policy: 'said "no", left\nat once', value: 1e-300 }];
  const csv = (await frameOf(rows, COLUMNS)).toCsv();
  t.is(
    csv,
    'trial,policy,value\n0002,scx_simple,0.30000000000000004\n0000,eevdf,\n0001,scx_simple,16777217\n' +
      '0003,"said ""no"", left\nat once",1e-300\n',
  );
  const path = join(folder, 'http.csv');
  writeFileSync(path, csv);
  t.deepEqual((await readCsv(path, ['value'])).rows(), rows);
  writeFileSync(path, 'trial,policy,value\n');
  const empty = await readCsv(path);
  t.deepEqual([empty.columns, empty.rows()], [COLUMNS, []]);
  t.is((await frameOf([], COLUMNS)).toCsv(), 'trial,policy,value\n');
  await t.throwsAsync(readCsv(join(folder, 'none.csv')), {
    message: /none\.csv: cannot be read as CSV: ENOENT/,
  });
});

test('an unknown column is an error with the known ones', async (t) => {
  const frame = await frameOf(ROWS, COLUMNS);
  t.throws(() => frame.select(['trail']), { message: 'no column trail; there are trial, policy, value' });
});

test('frame.ts alone imports danfojs', (t) => {
  const root = resolve(import.meta.dirname, '..');
  const importers = globSync('{harness,analysis,paper-figs,bpf,workloads,vm-images}/**/*.ts', {
    cwd: root,
  }).filter((path) => /(from|import\s*\()\s*'danfojs/.test(readFileSync(join(root, path), 'utf8')));
  t.deepEqual(importers, ['analysis/frame.ts']);
});
