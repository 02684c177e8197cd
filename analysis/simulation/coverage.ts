// SPDX-License-Identifier: Apache-2.0
// How often the intervals, tests and verdicts of pMVX are right, on simulated experiments whose truth is known.
//
//     node analysis/simulation/coverage.ts [experiments] [folder]
//
// writes coverage.csv and coverage.md into results/reference, from 1,000 experiments for each noise and n: about ten minutes. The same
// arguments give the same bytes.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatCsv } from '../../harness/core/csv.ts';
import { coverageMarkdown } from './coverage-markdown.ts';
import { COVERAGE_COLUMNS, type CoverageRow, coverageRows } from './coverage-rows.ts';
import type { Truth } from './experiment.ts';
import { nestedRows } from './nested-rows.ts';
import { remedyRows } from './remedy-rows.ts';
import { stoppingRows } from './stopping-rows.ts';

const SEED = 20261125;
const BLOCKS = [2, 3, 5, 10, 20];
const NOISES: readonly (readonly [name: string, Pick<Truth, 'shape' | 'noisier'>])[] = [
  ['normal', { shape: 'normal', noisier: 1 }],
  ['log-normal', { shape: 'log-normal', noisier: 1 }],
  ['heavy-tailed', { shape: 'heavy-tailed', noisier: 1 }],
  ['skewed', { shape: 'skewed', noisier: 1 }],
  ['skewed, policy three times as noisy', { shape: 'skewed', noisier: 3 }],
];

const [count = '1000', folder = resolve(import.meta.dirname, '../../results/reference')] =
  process.argv.slice(2);
const experiments = Number(count);
const rows: CoverageRow[] = [];
for (const [name, noise] of NOISES) {
  for (const blocks of BLOCKS) {
    const truth = { ...noise, blocks, ratio: 0.8, nulls: 9, spread: 0.05 };
    rows.push(...coverageRows(name, truth, experiments, SEED));
    console.error(`${name}, ${blocks} blocks`);
  }
}
for (const hosts of BLOCKS) rows.push(...nestedRows(hosts, experiments, SEED));
for (const shape of ['log-normal', 'heavy-tailed', 'skewed'] as const)
  rows.push(...stoppingRows(shape, experiments, SEED));
for (const [name, noise] of NOISES) {
  for (const blocks of BLOCKS.slice(1)) {
    const truth = { ...noise, blocks, ratio: 0.8, nulls: 0, spread: 0.05 };
    rows.push(...remedyRows(name, truth, experiments, SEED));
  }
}
const cells = rows.map((row) => COVERAGE_COLUMNS.map((column) => row[column]));
writeFileSync(join(folder, 'coverage.csv'), formatCsv(COVERAGE_COLUMNS, cells));
writeFileSync(join(folder, 'coverage.md'), coverageMarkdown(rows));
