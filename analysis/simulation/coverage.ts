// SPDX-License-Identifier: Apache-2.0
// How often the intervals, tests and verdicts of pMVX are right, on simulated experiments whose truth is known.
//
//     node analysis/simulation/coverage.ts [experiments] [folder]
//
// writes coverage.csv and coverage.md into results/reference, from 1,000 experiments for each noise and n: a fifth of that for the largest
// families, half for single intervals. A few minutes. The same arguments give the same bytes.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatCsv } from '../../harness/core/csv.ts';
import { coverageMarkdown } from './coverage-markdown.ts';
import { COVERAGE_COLUMNS, type CoverageRow, coverageRows } from './coverage-rows.ts';
import type { Truth } from './experiment.ts';
import {
  type FamilyCase,
  familyRows,
  interimRows,
  MEDIAN_PAIRED,
  powerRows,
  QUARTILE_PAIRED,
} from './family-rows.ts';
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

const EQUAL = [1, 1, 1, 1, 1];
/** Two policies of five differ in noise. */
const NOISIER = [1, 10, 10, 1, 1];
const QUIETER = [1, 0.1, 0.1, 1, 1];
const family = (
  noise: string,
  policies: readonly number[],
  more: Partial<FamilyCase['truth']> = {},
  atMost?: number,
): FamilyCase => ({
  noise,
  truth: { policies, shape: 'log-normal', spread: 0.05, correlation: 0, ...more },
  ...(atMost === undefined ? {} : { atMost }),
});
const FAMILIES: readonly FamilyCase[] = [
  family('equal', EQUAL, {}, 0.05),
  family('equal, spread 20 %', EQUAL, { spread: 0.2 }, 0.05),
  family('2 of 5 policies 10 times noisier', NOISIER, {}, 0.05),
  family('2 of 5 policies 10 times quieter', QUIETER, {}, 0.05),
  family('all policies 10 times noisier', [10, 10, 10, 10, 10], {}, 0.05),
  family('correlation 0.7', EQUAL, { correlation: 0.7 }, 0.1),
  family('correlation 0.7, 2 of 5 policies 10 times noisier', NOISIER, { correlation: 0.7 }, 0.1),
  family('skewed', EQUAL, { shape: 'skewed' }),
  family('skewed, 2 of 5 policies 10 times noisier', NOISIER, { shape: 'skewed' }),
  family('very heavy-tailed', EQUAL, { shape: 'very heavy-tailed' }),
  family('bimodal', EQUAL, { shape: 'bimodal' }),
  family('bimodal, 2 of 5 policies 10 times noisier', NOISIER, { shape: 'bimodal' }),
];
/** Workloads, with five policies each: families of 20 and of 90 cells. */
const SIZES = [4, 18];
const FAMILY_BLOCKS = [5, 10, 20];

const [count = '1000', folder = resolve(import.meta.dirname, '../../results/reference')] =
  process.argv.slice(2);
const experiments = Number(count);
const rows: CoverageRow[] = [];
const fewer = Math.ceil(experiments / 5);
const half = Math.ceil(experiments / 2);
for (const which of FAMILIES) {
  for (const workloads of SIZES) {
    for (const blocks of FAMILY_BLOCKS)
      rows.push(...familyRows(which, workloads, blocks, workloads > 4 ? fewer : experiments, SEED));
  }
  console.error(`family, ${which.noise}`);
}
for (const paired of [MEDIAN_PAIRED, QUARTILE_PAIRED]) {
  for (const workloads of SIZES) {
    for (const blocks of FAMILY_BLOCKS)
      rows.push(...powerRows(paired, workloads, blocks, workloads > 4 ? fewer : experiments, SEED));
  }
}
for (const which of FAMILIES.filter(({ atMost }) => atMost !== undefined).slice(0, 6))
  rows.push(...interimRows(which, 4, experiments, SEED));
for (const [name, noise] of NOISES) {
  for (const blocks of BLOCKS) {
    const truth = { ...noise, blocks, ratio: 0.8, spread: 0.05 };
    rows.push(...coverageRows(name, truth, half, SEED));
    console.error(`${name}, ${blocks} blocks`);
  }
}
for (const hosts of BLOCKS) rows.push(...nestedRows(hosts, half, SEED));
for (const shape of ['log-normal', 'heavy-tailed', 'skewed'] as const)
  rows.push(...stoppingRows(shape, half, SEED));
for (const [name, noise] of NOISES) {
  for (const blocks of BLOCKS.slice(1)) {
    const truth = { ...noise, blocks, ratio: 0.8, spread: 0.05 };
    rows.push(...remedyRows(name, truth, half, SEED));
  }
}
const cells = rows.map((row) => COVERAGE_COLUMNS.map((column) => row[column]));
writeFileSync(join(folder, 'coverage.csv'), formatCsv(COVERAGE_COLUMNS, cells));
writeFileSync(join(folder, 'coverage.md'), coverageMarkdown(rows));
