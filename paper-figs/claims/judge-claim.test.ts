// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { type SampleWorkload, sampleRun } from '../../analysis/tables/sample-run.ts';
import type { TrialRecord } from '../../harness/core/trial.ts';
import type { ClaimTest } from './claims.ts';
import type { Evidence, JudgedRun } from './finding.ts';
import { judgeClaim } from './judge-claim.ts';

const CLASSES = new Map([
  ['messages', 'ipc'],
  ['web', 'network'],
  ['loops', 'cpu'],
] as const);
const POLICIES = new Map([
  ['eevdf', { kind: 'builtin' }],
  ['disk', { kind: 'knob', subsystem: 'io' }],
  ['pages', { kind: 'knob', subsystem: 'memory' }],
  ['slices', { kind: 'knob', subsystem: 'sched' }],
]);

function evidence(runs: Readonly<Record<string, JudgedRun>>): Evidence {
  return { runs: new Map(Object.entries(runs)), classes: CLASSES, policies: POLICIES };
}

function run(...workloads: SampleWorkload[]): JudgedRun {
  return sampleRun(workloads);
}

const GAINS: ClaimTest = {
  kind: 'selection-gains',
  experiment: 'all',
  classes: ['ipc', 'network'],
  gain: 0.2,
  margin: 0.02,
};
const one = [1, 1, 1, 1];
const faster = [0.7, 0.71, 0.69, 0.7];
const slightly = [0.9, 0.91, 0.9, 0.89];

test('gains in every class reproduce the claim, in one class partly, in none not', (t) => {
  const messages = (x: number[]) => ({ workload: 'messages', ends: { eevdf: one, x } });
  const web = (x: number[]) => ({ workload: 'web', ends: { eevdf: one, x } });
  const verdict = (...all: SampleWorkload[]) => judgeClaim(GAINS, evidence({ all: run(...all) })).verdict;
  t.is(verdict(messages(faster), web(faster)), 'reproduced');
  t.is(verdict(messages(faster), web(slightly)), 'partly');
  t.is(verdict(messages(slightly), web(slightly)), 'not reproduced');
});

test('a chosen policy that fails costs a class its claim, whatever it gains elsewhere', (t) => {
  const x = [0.5, 0.5, 0.5, { state: 'ejected', reason: 'stall' } as const];
  const finding = judgeClaim(
    { ...GAINS, classes: ['ipc'] },
    evidence({ all: run({ workload: 'messages', ends: { eevdf: one, x } }) }),
  );
  t.is(finding.verdict, 'not reproduced');
  t.is(finding.numbers.ipc_failures, 1);
});

test('without a run, or with one block, nothing is claimed', (t) => {
  t.is(judgeClaim(GAINS, evidence({})).verdict, 'not testable');
  const single = run({ workload: 'messages', ends: { eevdf: [1], x: [0.1] } });
  t.is(judgeClaim(GAINS, evidence({ all: single })).verdict, 'not testable');
});

test('no harm is shown by the upper end of the interval, not by the mean', (t) => {
  const noHarm: ClaimTest = { kind: 'no-harm', experiment: 'all', classes: ['cpu'], margin: 0.02 };
  const judged = (x: number[]) =>
    judgeClaim(noHarm, evidence({ all: run({ workload: 'loops', ends: { eevdf: one, x } }) })).verdict;
  t.is(judged([1, 1, 1, 1]), 'reproduced');
  // Chosen for its gain on three blocks, it loses on the fourth: the interval says so.
  t.is(judged([0.8, 0.8, 0.8, 2]), 'not reproduced');
});

function proven(record: TrialRecord): TrialRecord {
  const knob = { path: '/sys/x', before: 'a', value: 'b' };
  if (record.policy === 'eevdf') return record;
  return {
    ...record,
    schedBefore: { knobs: [knob] },
    schedAfter: { knobs: [{ ...knob, restored: 'a' }] },
  };
}

test('settings need proof and an effect in each subsystem; those of the scheduler are not asked', (t) => {
  const settings: ClaimTest = { kind: 'other-subsystems', experiment: 'all', margin: 0.02 };
  const bare = run({ workload: 'web', ends: { eevdf: one, disk: faster, pages: faster } });
  const judged = (records: readonly TrialRecord[]) =>
    judgeClaim(settings, evidence({ all: { ...bare, records } })).verdict;
  t.is(judged(bare.records.map(proven)), 'reproduced');
  t.is(judged(bare.records), 'not reproduced');
  t.is(judged(bare.records.map((each) => (each.policy === 'pages' ? each : proven(each)))), 'partly');
});

test('identical copies need equal bytes for every trial, the kernel as a witness, and machines at once', (t) => {
  const copies: ClaimTest = { kind: 'identical-copies', forked: 'forked', booted: 'booted' };
  const bare = run({ workload: 'messages', ends: { eevdf: [1, 1], x: [1, 1] } });
  const said = (digest: string): JudgedRun => ({
    ...bare,
    records: bare.records.map((record) => ({
      ...record,
      transcript: digest,
      schedBefore: { state: 'enabled' },
      schedAfter: { state: 'enabled' },
    })),
  });
  const judged = (forked: JudgedRun, booted: JudgedRun) => judgeClaim(copies, evidence({ forked, booted }));
  t.is(judged(said('a'), said('a')).verdict, 'reproduced');
  t.is(judged(said('a'), said('b')).verdict, 'not reproduced');
  t.is(judged(bare, bare).verdict, 'not reproduced');
  t.deepEqual(judgeClaim(copies, evidence({ forked: bare })).because, [
    'no completed trial of booted: run the experiment first',
  ]);
});

test('a claim that cannot be tested says why', (t) => {
  t.deepEqual(judgeClaim({ kind: 'not-testable', why: 'no daemon' }, evidence({})), {
    verdict: 'not testable',
    because: ['no daemon'],
    numbers: {},
  });
});
