// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { meanOf } from '../stats/moments.ts';
import { randomWords } from '../stats/random.ts';
import { coverageMarkdown } from './coverage-markdown.ts';
import { type CoverageRow, coverageRows } from './coverage-rows.ts';
import type { Truth } from './experiment.ts';
import { familyRows, MEDIAN_PAIRED, powerRows } from './family-rows.ts';
import { nestedRows } from './nested-rows.ts';
import { REMEDIES, sampleOf } from './remedies.ts';
import { remedyRows } from './remedy-rows.ts';
import { stoppingRows } from './stopping-rows.ts';

const SEED = 7;
const TRUTH: Truth = { shape: 'log-normal', blocks: 5, ratio: 0.8, spread: 0.05, noisier: 1 };

function shareOf(rows: readonly CoverageRow[], quantity: string, method: string): number {
  const row = rows.find((each) => each.quantity === quantity && each.method === method);
  return Number(row?.share ?? Number.NaN);
}

/** Whether `share` of `count` independent tries is what a true share of `truth` gives, within three and a half standard errors. */
function near(share: number, truth: number, count: number): boolean {
  return Math.abs(share - truth) <= 3.5 * Math.sqrt((truth * (1 - truth)) / count);
}

test('on simulated experiments 95 % intervals cover the truth in 95 %, and bootstraps of five blocks are known to be short', (t) => {
  const rows = coverageRows('small', TRUTH, 300, SEED);
  t.deepEqual(coverageRows('small', TRUTH, 300, SEED), rows, 'the same seed gives the same shares');
  const covered = shareOf(rows, 'coverage', 'paired-t');
  t.true(near(covered, 0.95, 300), `${covered}`);
  t.true(shareOf(rows, 'coverage', 'percentile') < covered - 0.05);
  const alone = shareOf(rows, 'A/A false alarm', 'paired-t interval excludes 1');
  t.true(near(alone, 0.05, 300), `${alone}`);
});

test('whole tables rarely hold a false verdict, whether policies are noisier or blocks depend on each other, and find what differs', (t) => {
  const truth = { policies: [1, 10, 10, 1, 1], shape: 'log-normal', spread: 0.05, correlation: 0 } as const;
  for (const [noise, more, most] of [
    ['noisier', {}, 0.05],
    ['correlated', { policies: [1, 1, 1, 1, 1], correlation: 0.7 }, 0.1],
  ] as const) {
    for (const row of familyRows({ noise, truth: { ...truth, ...more } }, 4, 5, 100, SEED)) {
      // Two standard errors of 100 experiments.
      t.true(
        Number(row.share) <= most + 2 * Math.sqrt((most * (1 - most)) / 100),
        `${noise}, ${row.quantity}`,
      );
    }
  }
  const power = powerRows(MEDIAN_PAIRED, 4, 5, 40, SEED);
  t.true(shareOf(power, 'difference found', '0.8, 20 cells') >= 0.6);
  t.true(shareOf(power, 'difference found', '0.95, 20 cells') < 0.6);
});

test('an interval that is too narrow would show: blocks of few hosts, taken for independent, cover far less', (t) => {
  const rows = nestedRows(5, 400, SEED);
  const hosts = shareOf(rows, 'coverage', 'host-means-t');
  t.true(near(hosts, 0.95, 400), `${hosts}`);
  t.true(shareOf(rows, 'coverage', 'paired-t over blocks') < 0.9);
});

test('looking often without a correction costs coverage, and the correction gives it back', (t) => {
  const rows = stoppingRows('log-normal', 150, SEED);
  const kept = shareOf(rows, 'coverage at the stop', 'corrected');
  t.true(kept >= 0.93, `${kept}`);
  t.true(shareOf(rows, 'coverage at the stop', 'not corrected') < kept);
});

test('remedies for skewness are the formulas of their papers', (t) => {
  const values = [0, 0.1, 0.2, 0.3, 1.4];
  const sample = sampleOf(values, 0.95, randomWords(1));
  if (sample === undefined) return t.fail();
  const of = (method: string) => (REMEDIES[method] as (typeof REMEDIES)[string])(sample);
  const student = of('paired-t');
  const johnson = of('Johnson 1978');
  // Third central moment over 6 n s^2, with s^2 over n as Johnson's sample moments are.
  const third = meanOf(values.map((value) => (value - 0.4) ** 3));
  const second = meanOf(values.map((value) => (value - 0.4) ** 2));
  const moved = (third / second / 6 / 5) * Math.sqrt(5 / 4);
  t.true(Math.abs(johnson.low - student.low - moved) < 1e-12);
  t.true(Math.abs(johnson.high - student.high - moved) < 1e-12);
  // Hall's transformation of the t statistic at each end is the quantile again.
  const hall = of('Hall 1992');
  const { error, skewness } = sample;
  const transformed = (truth: number) => {
    const u = (0.4 - truth) / error;
    const a = skewness / Math.sqrt(5);
    return u + (a / 3) * u ** 2 + (a ** 2 / 27) * u ** 3 + a / 6;
  };
  const quantile = (student.high - 0.4) / error;
  t.true(Math.abs(transformed(hall.low) - quantile) < 1e-9);
  t.true(Math.abs(transformed(hall.high) + quantile) < 1e-9);
  t.deepEqual(of("Student's and Hall's together"), {
    low: Math.min(student.low, hall.low),
    high: Math.max(student.high, hall.high),
  });
  t.is(sampleOf([1, 1], 0.95, randomWords(1)), undefined);
});

test('a skewed policy three times as noisy is covered too rarely by Student, and by a remedy more often at the price of width', (t) => {
  const rows = remedyRows('skewed', { ...TRUTH, shape: 'skewed', noisier: 3, blocks: 10 }, 1500, SEED);
  const of = (method: string) => shareOf(rows, 'coverage of remedies tried', method);
  t.true(of('paired-t') < 0.935, `${of('paired-t')}`);
  t.true(of("Student's and Hall's together") > of('paired-t') + 0.01);
  t.true(shareOf(rows, "width over Student's, median", "Student's and Hall's together") > 1.02);
  t.is(shareOf(rows, "width over Student's, median", 'paired-t'), 1);
  t.regex(coverageMarkdown(rows), /## coverage of remedies tried\n/);
});
