// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { type SampleWorkload, sampleRun } from '../tables/sample-run.ts';
import type { Evidence, Outcome } from './evidence.ts';
import { evidenceOfRun } from './run-evidence.ts';
import { SAMPLE_MACHINE } from './sample-evidence.ts';

const FAILED = { state: 'failed', reason: 'exit 1' } as const;
const EJECTED = { state: 'ejected', reason: 'stall' } as const;

function evidenceOf(records: readonly TrialRecord[]): Evidence[] {
  const run = { run: 'r', machine: SAMPLE_MACHINE, createdAt: '2026-01-02T03:04:05.000Z', records };
  return [...evidenceOfRun({ ...run, vectorsOf: () => [{ window: -1, values: [1, 0] }] })];
}

function outcomesOf(sample: SampleWorkload): Outcome[] {
  return evidenceOf(sampleRun([sample]).records).filter((each) => each.kind === 'outcome');
}

test('an outcome is paired with the baseline of its block, and names both trials', (t) => {
  const [first, second] = outcomesOf({ workload: 'w', ends: { eevdf: [2, 4], fast: [1, 1] } });
  t.is(first?.logCosts.primary, Math.log(1 / 2));
  t.is(second?.logCosts.primary, Math.log(1 / 4));
  t.deepEqual([first?.run, first?.trial, first?.baseline], ['r', '0002', '0000']);
  t.deepEqual([second?.trial, second?.baseline], ['0003', '0001']);
});

test('of a rate, more is less cost', (t) => {
  const metric = { name: 'rate', unit: '1/s', direction: 'higher' } as const;
  const [outcome] = outcomesOf({ workload: 'w', metric, ends: { eevdf: [1], fast: [2] } });
  t.is(outcome?.logCosts.primary, -Math.log(2));
  t.is(outcome?.logCosts.time, -Math.log(2));
  t.is(outcome?.logCosts.tail, undefined);
});

test("a failure is the policy's unless the baseline failed, too; an ejection always is", (t) => {
  const ends = { eevdf: [1, FAILED, FAILED], p: [FAILED, FAILED, EJECTED] };
  t.deepEqual(
    outcomesOf({ workload: 'w', ends }).map(({ failed, logCosts }) => [failed, logCosts]),
    [
      [true, {}],
      [false, {}],
      [true, {}],
    ],
  );
});

test('without a baseline there is no cost, and no trial is counted twice', (t) => {
  const [outcome, ...others] = outcomesOf({ workload: 'w', ends: { eevdf: [FAILED], p: [1], aa: [1] } });
  t.deepEqual(outcome?.logCosts, {});
  t.is(outcome?.baseline, undefined);
  t.deepEqual(others, []);
});

test('vectors are of completed trials, under whichever policy they were seen', (t) => {
  const evidence = evidenceOf(
    sampleRun([{ workload: 'w', ends: { eevdf: [1, FAILED], p: [1, EJECTED] } }]).records,
  );
  const seen = evidence.filter((each) => each.kind === 'observation');
  t.deepEqual(
    seen.map(({ policy, trial }) => [policy, trial]),
    [
      ['eevdf', '0000'],
      ['p', '0002'],
    ],
  );
});

test('each objective is of a metric that both trials have', (t) => {
  const { records } = sampleRun([{ workload: 'w', ends: { eevdf: [1], p: [1] } }]);
  const more = (value: number) =>
    [
      { name: 'latency_p99', unit: 'us', direction: 'lower', primary: true, value },
      { name: 'latency_p50', unit: 'us', direction: 'lower', primary: false, value: 9 },
      { name: 'rate', unit: '1/s', direction: 'higher', primary: false, value: 2 / value },
      { name: 'energy', unit: 'J', direction: 'lower', primary: false, value: value ** 2 },
    ] as const;
  const measured = records.map((record) =>
    record.state === 'completed' ? { ...record, metrics: more(record.policy === 'p' ? 3 : 1) } : record,
  );
  const [outcome] = evidenceOf(measured).filter((each) => each.kind === 'outcome');
  t.is(outcome?.logCosts.primary, Math.log(3));
  t.is(outcome?.logCosts.tail, Math.log(3));
  t.true(Math.abs((outcome?.logCosts.time ?? 0) - Math.log(3)) < 1e-12);
  t.true(Math.abs((outcome?.logCosts.energy ?? 0) - 2 * Math.log(3)) < 1e-12);
});
