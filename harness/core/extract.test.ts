// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { extractMetrics } from './extract.ts';
import { type WorkloadDefinition, WorkloadSchema } from './workload.ts';

const definition: WorkloadDefinition = WorkloadSchema.parse({
  summary: 'a',
  class: 'ipc',
  source: 'a',
  params: {},
  seed: 'a',
  argv: ['/a'],
  metrics: {
    time: { unit: 's', direction: 'lower', primary: true, pattern: '^Time: (\\S+)$', about: 'a' },
    rate: { unit: 'ops/s', direction: 'higher', pattern: '^Rate: (\\S+)$', about: 'a' },
  },
  deadline_s: 60,
  takes_s: { exact: 1, kvm: 1 },
});

function reasonFor(output: string): string | undefined {
  const read = extractMetrics(definition, output);
  return read.ok ? undefined : read.reason;
}

test('a metric carries the value as printed and what is needed to read it', (t) => {
  t.deepEqual(extractMetrics(definition, 'noise\nTime: 0.237\nRate: 1e3\n'), {
    ok: true,
    metrics: [
      { name: 'time', unit: 's', direction: 'lower', primary: true, value: 0.237 },
      { name: 'rate', unit: 'ops/s', direction: 'higher', primary: false, value: 1000 },
    ],
  });
});

test('half of the metrics are no metrics: the missing one is named with the line that comes nearest', (t) => {
  t.is(reasonFor('Time: 0.2\nRates: 5\nbye\n'), 'metric rate is missing; nearest line: "Rates: 5"');
});

test('several missing metrics make one line', (t) => {
  t.is(reasonFor('hello\n'), 'metric time is missing; nearest line: "hello"; also unread: rate');
  t.is(reasonFor(''), 'metric time is missing: the output is empty; also unread: rate');
});

test('a metric that appears twice is ambiguous', (t) => {
  t.is(reasonFor('Time: 1\nRate: 5\nTime: 2\n'), 'metric time appears 2 times, first in "Time: 1"');
});

test('a last line without its newline was cut off and is not read', (t) => {
  t.is(reasonFor('Time: 0.2\nRate: 12'), 'metric rate is missing; nearest line: "Rate: 12"');
});

for (const text of ['nan', '-nan', 'inf', '1e999', '0x10', '1.2.3', '1,5', '5%', '१']) {
  test(`${text} is no finite number`, (t) => {
    t.is(reasonFor(`Time: ${text}\nRate: 5\n`), `metric time is not a finite number in "Time: ${text}"`);
  });
}

test('a negative value is refused and zero is not', (t) => {
  t.is(reasonFor('Time: -0.5\nRate: 5\n'), 'metric time is negative in "Time: -0.5"');
  t.is(reasonFor('Time: 0.000\nRate: 5\n'), undefined);
});

test('a line with control characters or of great length is quoted as one short line', (t) => {
  const reason = reasonFor(`Time: 1\nRate:\u001b[31m ${'x'.repeat(500)}\n`) ?? '';
  t.regex(reason, /^metric rate is missing; nearest line: "Rate:\\u001b\[31m x+"$/);
  t.true(reason.length < 160);
});

test('a metric with a distribution has it, and without it is unread', (t) => {
  const { time } = definition.metrics;
  if (time === undefined) return t.fail();
  const histogram = { pattern: '^(?<value>\\d+) ms: (?<count>\\d+)$', cumulative: false, scale: 0.001 };
  const whole = { ...definition, metrics: { time: { ...time, histogram } } };
  const read = extractMetrics(whole, 'Time: 0.2\n100 ms: 3\n200 ms: 1\n');
  // 100 ms is 0.1 s, thousandths 100: 32 + floor(100 / 2); 200 ms is 64 + floor(200 / 4).
  t.deepEqual(read.ok && read.metrics[0]?.histogram, {
    v: 1,
    buckets: [
      [82, 3],
      [114, 1],
    ],
  });
  // The second bucket's line was cut off, which is seen; that a whole line is absent is for the program to prevent.
  const cut = extractMetrics(whole, 'Time: 0.2\n100 ms: 3');
  t.regex(cut.ok ? '' : cut.reason, /^metric time has no histogram: no line with a count matches/);
});

test('a percentile whose rank lies among values that are not known is none, whatever was printed', (t) => {
  const { time } = definition.metrics;
  if (time === undefined) return t.fail();
  const histogram = {
    pattern: '^hist (?<value>\\d+) (?<count>\\d+)$',
    beyond: '^beyond (?<bound>\\d+) (?<count>\\d+)$',
    cumulative: false,
    scale: 1,
  };
  const metric = { ...time, unit: 'us', pattern: '^p99 (\\d+)$', histogram };
  const read = (output: string, name = 'late_p99') =>
    extractMetrics({ ...definition, metrics: { [name]: metric } }, output);
  const censored = read('p99 400000\nhist 30 97\nbeyond 20000 3\n');
  const where = 'in the overflow bucket, which holds 3 values of 20000 us or more';
  t.is(censored.ok ? '' : censored.reason, `metric late_p99 is censored: rank 99 of 100 lies ${where}`);
  const all = read('p99 400000\nbeyond 20000 100\n');
  t.regex(all.ok ? '' : all.reason, /rank 99 of 100 lies in the overflow bucket, which holds 100 values/);
  // The 99th of 100 is the last that is known.
  const known = read('p99 30\nhist 30 99\nbeyond 20000 1\n');
  t.is(known.ok ? known.metrics[0]?.histogram?.beyond : undefined, 1);
  // The 99.9th would be among them.
  t.false(read('p99 30\nhist 30 99\nbeyond 20000 1\n', 'late_p999').ok);
});
