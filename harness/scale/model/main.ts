// SPDX-License-Identifier: Apache-2.0
// node harness/scale/model/main.ts [--out FOLDER]
//
// Simulates a full matrix on sites of several sizes from what was measured on two cores, holds the model against runs that were measured,
// and writes scale-model.md and scale-model.csv into FOLDER (default results/reference). The same inputs give the same bytes.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES, type SiteCosts, simulateCase } from './cases.ts';
import { checkCluster, checkLocals } from './checks.ts';
import { drawMatrix, launchSeconds, longestPause, MATRIX, ranTrials, taskCosts } from './inputs.ts';
import type { ClusterRun, Measured } from './measured.ts';
import { scaleCsv, scaleMarkdown } from './tables.ts';

const REFERENCE = resolve(import.meta.dirname, '../../../results/reference');
const { values } = parseArgs({ options: { out: { type: 'string', default: REFERENCE } } });

const measured = JSON.parse(await readFile(join(REFERENCE, 'scale-measured.json'), 'utf8')) as Measured;
const trials = await ranTrials(REFERENCE, 'matrix');
const recordSeconds = measured.record.seconds / measured.record.records;
const [first, ...others] = measured.cluster;
const perTask = taskCosts(first as ClusterRun);
const costs: SiteCosts = {
  ...perTask,
  recordSeconds,
  launchSeconds: launchSeconds(measured),
  prepareSeconds: longestPause(trials),
};
const matrix = drawMatrix(trials, MATRIX);
const rows = CASES.map((each) => ({ each, ...simulateCase(each, matrix, costs) }));
const checks = [
  ...(await checkLocals(REFERENCE)),
  ...others.map((run) => checkCluster(run, perTask, recordSeconds)),
];
await writeFile(join(values.out, 'scale-model.csv'), scaleCsv(rows));
const markdown = scaleMarkdown({ rows, checks, costs, measured });
await writeFile(join(values.out, 'scale-model.md'), markdown);
process.stdout.write(markdown);
