// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { sealLine } from '../../core/sealed-line.ts';
import { sampleCompleted } from '../../store/sample-records.ts';
import { NewLines } from './new-lines.ts';
import { formatTasks, isAlive, parseStates } from './task-states.ts';
import { dealUnits } from './tasks.ts';

test('a task that Slurm could not start is held', (t) => {
  t.deepEqual(parseStates('1_2|PENDING||launch failed requeued held\n1_3|PENDING||Resources'), [
    { job: '1', task: 2, state: 'PENDING', held: true },
    { job: '1', task: 3, state: 'PENDING' },
  ]);
});

test('what sacct and squeue print is read: tasks that run, wait together, were cancelled by somebody', (t) => {
  const text = [
    '7_1|RUNNING|n1',
    '7_2|CANCELLED by 1000|n2',
    '7_[3-5,9,20-26:3%4]|PENDING|None assigned',
    '8|COMPLETED|n3',
    '8.batch|COMPLETED|n3',
    '9|NODE_FAIL|n[1-2]',
    'slurm_load_jobs error: nothing of the kind',
    '',
  ].join('\n');
  t.deepEqual(parseStates(text), [
    { job: '7', task: 1, state: 'RUNNING', node: 'n1' },
    { job: '7', task: 2, state: 'CANCELLED', node: 'n2' },
    ...[3, 4, 5, 9, 20, 23, 26].map((task) => ({ job: '7', task, state: 'PENDING' })),
    { job: '8', state: 'COMPLETED', node: 'n3' },
    { job: '9', state: 'NODE_FAIL', node: 'n[1-2]' },
  ]);
});

test('what may yet run is alive; a word that nobody knows is an end', (t) => {
  for (const state of ['PENDING', 'RUNNING', 'REQUEUED', 'COMPLETING']) t.true(isAlive({ state }), state);
  for (const state of ['COMPLETED', 'FAILED', 'TIMEOUT', 'NODE_FAIL', 'WHATEVER'])
    t.false(isAlive({ state }), state);
});

test('tasks are written as sbatch takes them', (t) => {
  t.is(formatTasks([7, 1, 3, 2, 9, 10]), '1-3,7,9-10');
  t.is(formatTasks([4]), '4');
});

test('units are dealt in turn, each once, to no more tasks than there are units', (t) => {
  const units = Array.from({ length: 7 }, (_, block) => ({ block }));
  const blocks = (most: number) => dealUnits(units, most).map((task) => task.map(({ block }) => block));
  t.deepEqual(blocks(3), [
    [0, 3, 6],
    [1, 4],
    [2, 5],
  ]);
  t.is(blocks(100).length, 7);
  t.deepEqual(dealUnits([], 3), []);
});

test('a log that others write is read as its lines are completed, each once; what is damaged is told', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-lines-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'trials.jsonl');
  const line = (trial: string) => sealLine(sampleCompleted({ trial, output: 'x'.repeat(3000) }));
  writeFileSync(path, line('0001'));
  const lines = new NewLines();
  const read = async () => {
    const { records, faults } = await lines.read(path);
    return { trials: records.map(({ trial }) => trial), faults };
  };
  t.deepEqual(await read(), { trials: ['0001'], faults: [] });
  const next = line('0002');
  appendFileSync(path, next.subarray(0, 700));
  t.deepEqual(await read(), { trials: [], faults: [] });
  appendFileSync(path, Buffer.concat([next.subarray(700), line('0003')]));
  t.deepEqual(await read(), { trials: ['0002', '0003'], faults: [] });
  const bad = line('0004');
  bad[40] = (bad[40] ?? 0) ^ 1;
  appendFileSync(path, Buffer.concat([bad, line('0005')]));
  const { trials, faults } = await read();
  t.deepEqual(trials, ['0005']);
  t.is(faults.length, 1);
  t.regex(
    faults[0] ?? '',
    /trials\.jsonl: byte \d+: not what was written; its trial counts as not measured$/,
  );
  t.deepEqual(await read(), { trials: [], faults: [] });
});
