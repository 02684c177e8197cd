// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { countOf, percentileOf } from './histogram.ts';
import type { Histogram } from './metric.ts';
import { readHistogram } from './read-histogram.ts';

const plain = { pattern: '^(?<value>\\S+) us: (?<count>\\S+)$', cumulative: false, scale: 1 };
const OUTPUT = 'begin\n10 us: 3\n20 us: 1\nend\n30 us: 9\n';

test('values and counts are read, only from the part that is meant', (t) => {
  t.is(countOf(readHistogram(plain, OUTPUT) as Histogram), 13);
  const inner = readHistogram({ ...plain, within: { from: '^begin$', to: '^end$' } }, OUTPUT) as Histogram;
  t.is(countOf(inner), 4);
  t.true(Math.abs((percentileOf(inner, 100) ?? 0) / 20 - 1) < 1 / 32);
});

test("cumulative counts become counts, and values get the metric's unit", (t) => {
  const output = '0.1 us: 5\n0.2 us: 5\n0.4 us: 8\n';
  const histogram = readHistogram({ ...plain, cumulative: true, scale: 1000 }, output) as Histogram;
  t.deepEqual(
    histogram.buckets.map(([, count]) => count),
    [5, 3],
  );
  t.true(Math.abs((percentileOf(histogram, 50) ?? 0) / 100 - 1) < 1 / 32);
});

test('what is no histogram says why', (t) => {
  t.regex(String(readHistogram(plain, '1 us: 5\n[pmvx: 99 bytes left out]\n9 us: 1\n')), /too long/);
  t.regex(String(readHistogram(plain, 'nothing\n')), /no line with a count matches/);
  t.regex(String(readHistogram({ ...plain, within: { from: 'x', to: 'y' } }, OUTPUT)), /no part between/);
  t.regex(String(readHistogram(plain, '1 us: many\n')), /not a value and a count: "1 us: many"/);
  t.regex(String(readHistogram({ ...plain, cumulative: true }, '1 us: 5\n2 us: 3\n')), /falls/);
});
