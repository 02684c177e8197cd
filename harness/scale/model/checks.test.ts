// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import test from 'ava';
import { checkLocals } from './checks.ts';
import {
  drawMatrix,
  longestPause,
  MATRIX,
  type Ran,
  ranTrials,
  spanOf,
  taskCosts,
  tasksOf,
} from './inputs.ts';

const REFERENCE = resolve(import.meta.dirname, '../../../results/reference');

test('the span and the longest pause of trials that overlap', (t) => {
  const ran = [
    [0, 4],
    [1, 9],
    [2, 1],
    [15, 2],
    [18, 1],
  ].map(([start, seconds]): Ran => ({ workload: 'w', start: start as number, seconds: seconds as number }));
  t.is(spanOf(ran), 19);
  t.is(longestPause(ran), 5);
});

test('the queue of trials explains committed runs to 2 %, besides the pause; not vectors-2, where one trial ran alone at first', async (t) => {
  const off = (await checkLocals(REFERENCE)).filter(
    ({ measured, withPause = 0 }) => Math.abs(withPause / measured - 1) > 0.02,
  );
  t.deepEqual(
    off.map(({ run }) => run),
    ['paper-quick/vectors-2'],
  );
});

test('a drawn matrix is the same each time, and every unit makes the same work of it', async (t) => {
  const trials = await ranTrials(REFERENCE, 'matrix');
  const matrix = drawMatrix(trials, MATRIX);
  t.deepEqual(drawMatrix(trials, MATRIX), matrix);
  const sizes = { block: 20, 'workload of a block': 500, trial: 12_500 } as const;
  for (const unit of ['block', 'workload of a block', 'trial'] as const) {
    const tasks = tasksOf(matrix, unit);
    t.is(tasks.length, sizes[unit]);
    t.deepEqual(tasks.flat(), matrix.flat(2));
  }
  t.throws(() => drawMatrix(trials, { ...MATRIX, workloads: 29 as 25 }), {
    message: /29 workloads asked, 28 measured/,
  });
});

test('costs of a task are what is left of its time, those of the queue what is left of the command', (t) => {
  const task = { id: '1', job: 'j', submitS: 100, node: 'n1' };
  const tasks = [
    { ...task, startS: 101, endS: 104 },
    { ...task, startS: 104, endS: 108 },
  ];
  const run = {
    nodes: 1,
    slotsANode: 1,
    blocks: 2,
    trialsABlock: 2,
    trialMs: 500,
    pollMs: 300,
    wallSeconds: 9,
    tasks,
  };
  t.deepEqual(taskCosts(run), { taskSeconds: 2.5, queueSeconds: 2 });
});
