// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { histogramOf } from '../../harness/core/histogram.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { distributionRows } from './distribution-rows.ts';
import { sampleRun } from './sample-run.ts';
import { scalingRows } from './scaling-rows.ts';
import { timelineRows } from './timeline-rows.ts';

const RUN = sampleRun([
  {
    workload: 'w',
    variant: 'n=1,size=4',
    ends: { eevdf: [1, 3], aa: [9, 9], scx: [2, { state: 'failed', reason: 'x' }] },
  },
  {
    workload: 'w',
    variant: 'n=2,size=4',
    ends: { eevdf: [2, 6], scx: [{ state: 'failed', reason: 'x' }, undefined] },
  },
]);
const USES = [1, 2].map((n) => ({ workload: 'w', variant: `n=${n},size=4`, params: { n, size: 4 } }));

function withHistogram(record: TrialRecord, values: readonly number[] | undefined): TrialRecord {
  if (record.state !== 'completed') return record;
  const metrics = record.metrics.map((metric) => ({
    ...metric,
    ...(values === undefined ? {} : { histogram: histogramOf(values.map((value) => [value, 1] as const)) }),
  }));
  return { ...record, metrics };
}

test('a distribution holds the values of all completed trials of a policy', (t) => {
  const records = RUN.records.map((record) => withHistogram(record, [0.01 * (record.block + 1), 0.05]));
  const row = distributionRows(records).find(
    ({ policy, role, variant }) => policy === 'eevdf' && role === 'measure' && variant === 'n=1,size=4',
  );
  t.is(row?.trials, 2);
  t.is(row?.count, 4);
  t.deepEqual(row?.steps, [
    { value: 0.01, share: 0 },
    { value: 0.011, share: 0.25 },
    { value: 0.021, share: 0.5 },
    { value: 0.051, share: 1 },
  ]);
});

test('a policy of which one trial told no distribution has none', (t) => {
  const records = RUN.records.map((record) => withHistogram(record, record.block === 0 ? [1] : undefined));
  const policies = new Set(distributionRows(records).map(({ policy }) => policy));
  t.deepEqual([...policies], ['scx']);
  t.deepEqual(distributionRows(RUN.records), []);
});

test('a sweep has a row where a policy completed, with median and range over blocks', (t) => {
  const rows = scalingRows([{ spec: { ...RUN.spec, workloads: USES }, records: RUN.records }]);
  t.deepEqual(
    rows.map(({ policy, sweep, step, variant, median, least, most, n }) => [
      policy,
      sweep,
      step,
      variant,
      median,
      least,
      most,
      n,
    ]),
    [
      ['eevdf', 'n', 1, 'size=4', 2, 1, 3, 2],
      ['scx', 'n', 1, 'size=4', 2, 2, 2, 1],
      ['eevdf', 'n', 2, 'size=4', 4, 2, 6, 2],
    ],
  );
});

test('runs that differ in vCPUs are a sweep of them', (t) => {
  const spec = { ...RUN.spec, workloads: USES.slice(0, 1) };
  const other = { spec: { ...spec, machine: { ...spec.machine, vcpus: 8 } }, records: RUN.records };
  const rows = scalingRows([other, { spec, records: RUN.records }]).filter(
    ({ policy }) => policy === 'eevdf',
  );
  t.deepEqual(
    rows.map(({ sweep, step, median }) => [sweep, step, median]),
    [
      ['vCPUs', 4, 2],
      ['vCPUs', 8, 2],
    ],
  );
  t.deepEqual(scalingRows([{ spec, records: RUN.records }]), []);
});

test('trials that overlap are in slots of their own, and a slot is used again', (t) => {
  const [first, second, third] = RUN.records as [TrialRecord, TrialRecord, TrialRecord];
  const at = (record: TrialRecord, startedAt: string, seconds: number): TrialRecord => ({
    ...record,
    host: { startedAt: `2026-01-02T03:04:${startedAt}Z`, seconds, attempt: 1 },
  });
  const rows = timelineRows([at(third, '07.000', 1), at(first, '05.000', 2), at(second, '06.000', 5)]);
  t.deepEqual(
    rows.map(({ start, end, slot }) => [start, end, slot]),
    [
      [0, 2, 0],
      [1, 6, 1],
      [2, 3, 0],
    ],
  );
});
