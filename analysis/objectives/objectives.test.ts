// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import test from 'ava';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { sampleRun } from '../tables/sample-run.ts';
import { withEnergy } from './energy.ts';
import { modelledEnergy, POWER_MODEL, withModelledEnergy } from './energy-model.ts';
import { OBJECTIVE_COLUMNS, objectiveRows } from './objective-rows.ts';
import { metricsByObjective } from './objectives.ts';
import { formatObjectives } from './objectives-markdown.ts';
import { paretoFront } from './pareto.ts';

const FAILED = { state: 'ejected', reason: 'stall' } as const;
const usage = {
  elapsedNs: 2e9,
  userNs: 1.5e9,
  systemNs: 0.5e9,
  voluntarySwitches: 1000,
  involuntarySwitches: 7,
};

function withUsage(record: TrialRecord, more: Partial<typeof usage> = {}): TrialRecord {
  return { ...record, usage: { ...usage, ...more } };
}

test('modelled energy is busy time, idle time and wake-ups, and is missing where they are not known', (t) => {
  const [record, failed] = sampleRun([{ workload: 'w', ends: { eevdf: [1, FAILED] } }]).records as [
    TrialRecord,
    TrialRecord,
  ];
  const { busyWatts, idleWatts, joulesPerWakeUp } = POWER_MODEL;
  t.deepEqual(modelledEnergy(withUsage(record), 4), {
    ...{ name: 'energy_modelled', unit: 'J', direction: 'lower', primary: false },
    value: busyWatts * 2 + idleWatts * 6 + joulesPerWakeUp * 1000,
  });
  t.is(
    modelledEnergy(withUsage(record, { userNs: 9e9 }), 4)?.value,
    busyWatts * 9.5 + joulesPerWakeUp * 1000,
    'no idle time below 0',
  );
  t.is(modelledEnergy(record, 4), undefined);
  t.is(modelledEnergy(withUsage(failed), 4), undefined);
});

test('measured energy is there when every completed trial has it, and only then', (t) => {
  const records = sampleRun([{ workload: 'w', ends: { eevdf: [1, 1], x: [1, FAILED] } }]).records;
  const joules = (record: TrialRecord, value: number): TrialRecord => ({
    ...record,
    host: { ...record.host, joules: value },
  });
  const energies = (given: readonly TrialRecord[]) =>
    withEnergy(given, 4).map((record) =>
      record.state === 'completed'
        ? record.metrics.filter(({ unit }) => unit === 'J').map(({ name, value }) => [name, value])
        : [],
    );
  const completed = (record: TrialRecord) => record.state === 'completed';
  t.deepEqual(energies(records.map((record) => (completed(record) ? joules(record, 7) : record))), [
    [['energy_package', 7]],
    [['energy_package', 7]],
    [['energy_package', 7]],
    [],
  ]);
  const [first, ...others] = records;
  t.deepEqual(energies([joules(first as TrialRecord, 7), ...others]), [[], [], [], []]);
});

test('a front has every policy that no other dominates, equals together', (t) => {
  const costs = new Map([
    ['fast', [0.5, 2]],
    ['frugal', [2, 0.5]],
    ['twin', [2, 0.5]],
    ['between', [1, 1]],
    ['dominated', [1, 1.1]],
  ]);
  t.deepEqual([...paretoFront(costs)], ['fast', 'frugal', 'twin', 'between']);
});

test('each objective has one metric: primary before others, measured energy before modelled', (t) => {
  const metric = (name: string, unit: string, primary = false) =>
    ({ name, unit, primary, direction: 'lower', value: 1 }) as const;
  t.deepEqual(
    [
      ...metricsByObjective([
        metric('wakeup_p99', 'us', true),
        metric('request_p99', 'us'),
        metric('wakeup_p50', 'us'),
        metric('fairness', ''),
        metric('rate', 'ops/s'),
        metric('energy_modelled', 'J'),
        metric('energy_package', 'J'),
      ]),
    ],
    [
      ['time', 'rate'],
      ['tail', 'wakeup_p99'],
      ['fairness', 'fairness'],
      ['energy', 'energy_package'],
    ],
  );
});

function twoObjectives() {
  const input = sampleRun([
    {
      workload: 'w',
      metric: { name: 'rate', unit: 'ops/s', direction: 'higher' },
      ends: { eevdf: [10, 11], fast: [20, 22], frail: [40, FAILED], slow: [5, 5.5] },
    },
  ]);
  const records = input.records.map((record) =>
    withUsage(record, { userNs: record.policy === 'fast' ? 4e9 : 1e9 }),
  );
  return { ...input, records: withModelledEnergy(records, 4) };
}

test('costs are ratios with lower better, and a policy with failures is on no front', (t) => {
  const rows = objectiveRows(twoObjectives());
  for (const row of rows) t.deepEqual(Object.keys(row), [...OBJECTIVE_COLUMNS]);
  const brief = rows.map(({ policy, objective, cost, on_front }) => [
    policy,
    objective,
    Number(cost).toFixed(2),
    on_front,
  ]);
  t.deepEqual(brief, [
    ['eevdf', 'time', '1.00', 'yes'],
    ['eevdf', 'energy', '1.00', 'yes'],
    ['fast', 'time', '0.50', 'yes'],
    ['fast', 'energy', '1.32', 'yes'],
    ['frail', 'time', '0.25', undefined],
    ['frail', 'energy', '1.00', undefined],
    ['slow', 'time', '2.00', 'no'],
    ['slow', 'energy', '1.00', 'no'],
  ]);
  t.deepEqual(rows.map(({ modelled }) => modelled).slice(0, 2), ['measured', 'modelled']);
});

test('Markdown says which energy is modelled; a workload with one objective has no section', (t) => {
  const text = formatObjectives(objectiveRows(twoObjectives()));
  t.true(
    text.includes('| policy | time: rate | energy: energy\\_modelled (modelled) | front | failure rate |'),
    text,
  );
  t.true(text.includes('| frail | 0.250 | 1.000 | - | 50 % |'), text);
  t.is(formatObjectives(objectiveRows(sampleRun([{ workload: 'w', ends: { eevdf: [1] } }]))), '');
});

test('results/README.md documents every column', (t) => {
  const readme = readFileSync(resolve(import.meta.dirname, '../../results/README.md'), 'utf8');
  const section = readme.split('## `objectives.csv`')[1]?.split('\n## ')[0] ?? '';
  const cells = section.split('\n').map((line) => line.split('|')[1] ?? '');
  const documented = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]));
  t.deepEqual(documented.toSorted(), [...OBJECTIVE_COLUMNS].toSorted());
});
