// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import test from 'ava';
import { TRIAL_STATES } from '../core/trial.ts';
import { sampleCompleted, sampleUnmeasured } from './sample-records.ts';
import { formatTrialsCsv, TRIAL_COLUMNS } from './trials-csv.ts';

const metric = { unit: 's', direction: 'lower', primary: false } as const;

test('the first columns are those that programs rely on', (t) => {
  t.is(
    TRIAL_COLUMNS.slice(0, 15).join(','),
    'run,trial,block,seed,workload,variant,point,policy,engine,state,reason,metric,unit,direction,value',
  );
});

test('a completed trial has a row for each metric, any other exactly one without a value', (t) => {
  const csv = formatTrialsCsv([
    sampleUnmeasured({ reason: 'said "no", twice' }),
    sampleCompleted({
      metrics: [
        { ...metric, name: 'zeta', value: 0.1 + 0.2 },
        { ...metric, name: 'alpha', value: 1e21 },
      ],
    }),
  ]);
  const short = csv
    .split('\n')
    .slice(1)
    .map((row) => row.split(',').slice(1, 15).join(','));
  t.deepEqual(short, [
    '0000,0,7,hackbench,default,quiescent,eevdf,mock,completed,,alpha,s,lower,1e+21',
    '0000,0,7,hackbench,default,quiescent,eevdf,mock,completed,,zeta,s,lower,0.30000000000000004',
    '0001,0,7,hackbench,default,quiescent,scx_qmap,mock,refused,"said ""no"", twice",,,',
    '',
  ]);
});

test('the order in which trials ended and the host they ran on do not show in the bytes', (t) => {
  const records = ['0002', '0000', '0001'].map((trial) => sampleCompleted({ trial }));
  const elsewhere = records
    .toReversed()
    .map((record) => ({ ...record, host: { startedAt: 'later', seconds: 99, attempt: 3 } }));
  t.is(formatTrialsCsv(records), formatTrialsCsv(elsewhere));
});

test('a distribution stays in the record and does not show in the table', (t) => {
  const plain = { ...metric, name: 'latency', value: 5 };
  const histogram = { v: 1, buckets: [[3, 7]] } as const;
  t.is(
    formatTrialsCsv([sampleCompleted({ metrics: [{ ...plain, histogram }] })]),
    formatTrialsCsv([sampleCompleted({ metrics: [plain] })]),
  );
});

test('a completed trial without a metric still has its row', (t) => {
  const lines = formatTrialsCsv([sampleCompleted({ metrics: [] })])
    .trimEnd()
    .split('\n');
  t.is(lines.length, 2);
});

test('results/README.md documents every column and every state', (t) => {
  const readme = readFileSync(resolve(import.meta.dirname, '../../results/README.md'), 'utf8');
  const documented = new Set(
    readme
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1])),
  );
  t.deepEqual(
    [...TRIAL_COLUMNS, ...TRIAL_STATES].filter((name) => !documented.has(name)),
    [],
  );
});
