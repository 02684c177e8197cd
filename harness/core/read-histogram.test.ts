// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { countOf, percentileOf } from './histogram.ts';
import { type ReadHistogram, readHistogram } from './read-histogram.ts';

const plain = { pattern: '^(?<value>\\S+) us: (?<count>\\S+)$', cumulative: false, scale: 1 };
const OUTPUT = 'begin\n10 us: 3\n20 us: 1\nend\n30 us: 9\n';

test('values and counts are read, only from the part that is meant', (t) => {
  t.is(countOf((readHistogram(plain, OUTPUT) as ReadHistogram).histogram), 13);
  const within = { from: '^begin$', to: '^end$' };
  const { histogram: inner } = readHistogram({ ...plain, within }, OUTPUT) as ReadHistogram;
  t.is(countOf(inner), 4);
  t.true(Math.abs((percentileOf(inner, 100) ?? 0) / 20 - 1) < 1 / 32);
});

test("cumulative counts become counts, and values get the metric's unit", (t) => {
  const output = '0.1 us: 5\n0.2 us: 5\n0.4 us: 8\n';
  const definition = { ...plain, cumulative: true, scale: 1000 };
  const { histogram } = readHistogram(definition, output) as ReadHistogram;
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

test('values that the program counted without telling them are counted, and ranked above all others', (t) => {
  const beyond = '^beyond (?<bound>\\d+) us: (?<count>\\S+)$';
  const read = readHistogram({ ...plain, beyond }, `${OUTPUT}beyond 50 us: 2\n`) as ReadHistogram;
  t.is(read.bound, '50');
  t.is(read.histogram.beyond, 2);
  t.is(countOf(read.histogram), 15);
  t.is(percentileOf(read.histogram, 90), undefined);
  t.true(Math.abs((percentileOf(read.histogram, 86) ?? 0) / 30 - 1) < 1 / 32);
  const none = readHistogram({ ...plain, beyond }, `${OUTPUT}beyond 50 us: 0\n`) as ReadHistogram;
  t.false('beyond' in none.histogram);
  t.regex(String(readHistogram({ ...plain, beyond }, OUTPUT)), /counts the values that are not told/);
  t.regex(String(readHistogram({ ...plain, beyond }, `${OUTPUT}beyond 50 us: -1\n`)), /not a count/);
});
