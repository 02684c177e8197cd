// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { cellStatistics } from './cell-statistics.ts';

const pairs = (logs: readonly number[], hostOf?: (at: number) => string) =>
  logs.map((log, at) => ({ block: at, value: 3 * Math.exp(log), baseline: 3, host: hostOf?.(at) }));
const about = (given: number | undefined, want: number) => Math.abs((given ?? Number.NaN) - want) < 1e-9;
const LOGS = [0.1, 0.2, 0.3, 0.2, 0.12];

test('the signs of blocks are flipped where all ran on one host, those of hosts where they nest in several', (t) => {
  const alone = cellStatistics(pairs(LOGS), ['cell'], 0.95);
  t.is(alone?.p, 2 / 2 ** 5);
  t.truthy(alone?.bca);
  const nested = cellStatistics(
    pairs(LOGS, (at) => `h${at % 2}`),
    ['cell'],
    0.95,
  );
  t.is(nested?.p, 2 / 2 ** 2, 'two hosts are two units');
  t.is(nested?.bca, undefined);
});

test('intervals are of ratios, and what is resampled follows from the name', (t) => {
  const of = (...name: string[]) => cellStatistics(pairs(LOGS), name, 0.95)?.percentile;
  const { low = 0, high = 0 } = of('cell', 'p99') ?? {};
  t.true(Math.exp(0.1) <= low && low < Math.exp(0.184) && Math.exp(0.184) < high && high <= Math.exp(0.3));
  t.deepEqual(of('cell', 'p99'), { low, high });
  t.notDeepEqual(of('cell', 'p50'), { low, high });
});

test('a block far from the others is named with its ratio', (t) => {
  const found = cellStatistics(pairs([0.1, 0.11, 0.1, 0.12, 0.11, 2]), ['cell'], 0.95)?.outliers;
  t.is(found?.length, 1);
  t.is(found?.[0]?.block, 5);
  t.true(about(found?.[0]?.ratio, Math.exp(2)));
});

test('all values above all baselines is a delta of 1; one pair, or none above 0, has no statistics', (t) => {
  t.is(cellStatistics(pairs(LOGS), ['cell'], 0.95)?.cliffsDelta, 1);
  t.is(cellStatistics(pairs([0.1]), ['cell'], 0.95), undefined);
  t.truthy(cellStatistics(pairs([0.1, 0.2]), ['cell'], 0.95));
  t.is(cellStatistics([...pairs(LOGS), { block: 9, value: 0, baseline: 1 }], ['cell'], 0.95), undefined);
});
