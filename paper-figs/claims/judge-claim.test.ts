// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { LabelledVector } from '../../analysis/features/separation.ts';
import { arcOfWorkloads, sampleExample, unitOf } from '../../analysis/policy-map/choose/sample-examples.ts';
import type { Example } from '../../analysis/policy-map/choose/training.ts';
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

function evidence(runs: Readonly<Record<string, JudgedRun>>, over: Partial<Evidence> = {}): Evidence {
  const none = { vectors: new Map(), situations: new Map() };
  return { runs: new Map(Object.entries(runs)), classes: CLASSES, policies: POLICIES, ...none, ...over };
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
  t.is(judgeClaim(GAINS, evidence({})).verdict, 'not judged');
  const single = run({ workload: 'messages', ends: { eevdf: [1], x: [0.1] } });
  t.is(judgeClaim(GAINS, evidence({ all: single })).verdict, 'not judged');
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

/** A vector of a workload in the plane, `angle` degrees from the first axis. */
function at(workload: string, configuration: string, angle: number): LabelledVector {
  const radians = (angle * Math.PI) / 180;
  return { workload, configuration, values: [Math.cos(radians), Math.sin(radians)] };
}

/** A vector of a workload near to one of eight axes, a little nearer for the larger machine. */
function on(workload: string, configuration: string, axis: number): LabelledVector {
  const values = Array.from({ length: 8 }, (_, index) => (index === axis ? 1 : 0));
  return { workload, configuration, values };
}

const APART: ClaimTest = { kind: 'vectors-tell-apart', experiments: ['four', 'two'], accuracy: 0.9 };

function apart(four: readonly LabelledVector[], two: readonly LabelledVector[]) {
  const vectors = new Map(Object.entries({ four, two }));
  return judgeClaim(APART, evidence({}, { vectors }));
}

test('vectors reproduce the claim when each lies nearest to its own workload on another machine', (t) => {
  const four = [at('a', '4', 0), at('b', '4', 90), at('c', '4', 180)];
  const finding = apart(four, [at('a', '2', 8), at('b', '2', 82), at('c', '2', 170)]);
  t.is(finding.verdict, 'reproduced');
  t.is(finding.numbers.accuracy, 1);
  t.is(finding.numbers.judged_workloads, 3);
});

test('a workload that looks like another on a smaller machine costs the claim, and is named', (t) => {
  const four = [...'abcdefgh'].map((workload, axis) => on(workload, '4', axis));
  const two = four.map(({ workload }, axis) => on(workload, '2', workload === 'h' ? 0 : axis));
  const partly = apart(four, two);
  t.is(partly.verdict, 'partly');
  t.is(partly.numbers.accuracy, 14 / 16);
  t.true(partly.because.includes('h: 2 of 2 lie nearest to a'), partly.because.join('\n'));
  const swapped = apart([at('a', '4', 0), at('b', '4', 90)], [at('a', '2', 90), at('b', '2', 0)]);
  t.is(swapped.verdict, 'not reproduced');
  t.is(swapped.numbers.accuracy, 0);
});

test('vectors of one machine alone, or of one workload, judge nothing', (t) => {
  t.is(apart([at('a', '4', 0), at('b', '4', 90)], []).verdict, 'not judged');
  t.is(apart([at('a', '4', 0)], [at('a', '2', 1)]).verdict, 'not judged');
});

const RECOMMENDS: ClaimTest = { kind: 'map-recommends', experiment: 'all', vectors: 'looks', regret: 0.05 };

function recommends(examples: readonly Example[]) {
  return judgeClaim(RECOMMENDS, evidence({}, { situations: new Map([['all', examples]]) }));
}

test('a map reproduces the claim when its vectors foretell which policy is best for a workload left out', (t) => {
  const finding = recommends(arcOfWorkloads(24));
  t.is(finding.verdict, 'reproduced', finding.because.join('\n'));
  t.true((finding.numbers.over_eevdf_high as number) < 0);
  t.true((finding.numbers.regret as number) <= 0.05);
});

test('a map whose vectors foretell nothing does not', (t) => {
  // The same costs, but every workload looks alike, so that no choice can be better than one for all.
  const alike = arcOfWorkloads(24).map((example, index) => ({
    ...example,
    vectors: [unitOf(1, 0.001 * ((7 * index) % 24))],
  }));
  const finding = recommends(alike);
  t.is(finding.verdict, 'not reproduced', finding.because.join('\n'));
});

test('a recommended policy that fails on the workload left out costs the claim', (t) => {
  const fine = arcOfWorkloads(24);
  const last = fine.at(-1) as Example;
  const failing = sampleExample(last.workload, last.vectors[0] as Float32Array, {
    left: 0.3,
    right: 'failed',
    bad: 0.2,
  });
  const finding = recommends([...fine.slice(0, -1), failing]);
  t.true((finding.numbers.failed as number) > 0, finding.because.join('\n'));
  t.is(finding.verdict, 'not reproduced');
});

test('a map of few workloads, or without vectors, judges nothing', (t) => {
  t.is(recommends(arcOfWorkloads(4)).verdict, 'not judged');
  const finding = judgeClaim(RECOMMENDS, evidence({}));
  t.deepEqual(finding.because, ['no completed trial of all, looks: run the experiment first']);
});

const DAY = {
  v: 1 as const,
  day: 'mixed',
  comparisons: [{ arm: 'auto', against: 'eevdf', scope: 'day', pairs: 4, ratio: 0.8, low: 0.75, high: 0.85 }],
  best: 'x',
  againstBest: { pairs: 4, ratio: 0.95, low: 0.92, high: 0.98 },
  daemons: [{ switches: 5, gapMostMs: 3 }, { switches: 4 }],
  lost: [],
};

test('a day that the daemon wins against EEVDF and the best single policy reproduces the claim, against one partly', (t) => {
  const verdict = (day: typeof DAY) =>
    judgeClaim({ kind: 'replay-wins', replay: 'day' }, evidence({}, { replays: new Map([['day', day]]) }))
      .verdict;
  t.is(verdict(DAY), 'reproduced');
  t.is(verdict({ ...DAY, againstBest: { ...DAY.againstBest, high: 1.01 } }), 'partly');
  t.is(
    verdict({ ...DAY, comparisons: [], againstBest: { ...DAY.againstBest, high: 1.01 } }),
    'not reproduced',
  );
  const finding = judgeClaim({ kind: 'replay-wins', replay: 'day' }, evidence({}));
  t.deepEqual(
    [finding.verdict, finding.because[0]],
    ['not judged', 'no replay of day: run pmvx replay first'],
  );
});

test('a day in which the daemon was lost wins nothing', (t) => {
  const lost = { ...DAY, lost: [{ arm: 'auto', block: 2, how: 'crashed' } as never] };
  const finding = judgeClaim(
    { kind: 'replay-wins', replay: 'day' },
    evidence({}, { replays: new Map([['day', lost]]) }),
  );
  t.is(finding.verdict, 'not reproduced');
});

test('switches under load show a part of the claim about the runtime; a daemon that never switched shows none', (t) => {
  const judged = (day: typeof DAY) =>
    judgeClaim(
      { kind: 'replay-switches', replay: 'day' },
      evidence({}, { replays: new Map([['day', day]]) }),
    );
  t.is(judged(DAY).verdict, 'partly');
  t.deepEqual(judged(DAY).numbers, { lives: 2, longest_gap_ms: 3 });
  t.is(judged({ ...DAY, daemons: [{ switches: 0 }] }).verdict, 'not reproduced');
});

test('a strange day that did no harm, and is known once its queue was evaluated, reproduces the claim about learning', (t) => {
  const with_ = (novel: number, high: number) => ({
    ...DAY,
    comparisons: [{ ...DAY.comparisons[0], ratio: 1, low: 0.99, high } as (typeof DAY.comparisons)[0]],
    daemons: [{ switches: 0, windows: 100, novel }],
  });
  const judged = (first: ReturnType<typeof with_>, then: ReturnType<typeof with_>) =>
    judgeClaim(
      { kind: 'replay-learns', before: 'first', after: 'then', margin: 0.02 },
      evidence(
        {},
        {
          replays: new Map([
            ['first', first],
            ['then', then],
          ]),
        },
      ),
    );
  const { verdict, numbers } = judged(with_(60, 1.01), with_(30, 1.01));
  t.is(verdict, 'reproduced');
  t.deepEqual([numbers.unknown_before, numbers.unknown_after], [0.6, 0.3]);
  t.is(judged(with_(60, 1.01), with_(31, 1.01)).verdict, 'partly');
  t.is(judged(with_(60, 1.03), with_(30, 1.01)).verdict, 'partly');
  t.is(judged(with_(60, 1.03), with_(31, 1.01)).verdict, 'not reproduced');
  t.is(
    judged(with_(0, 1.03), with_(0, 1.01)).verdict,
    'not reproduced',
    'nothing was unknown: nothing shown',
  );
  const alone = judgeClaim(
    { kind: 'replay-learns', before: 'first', after: 'then', margin: 0.02 },
    evidence({}, { replays: new Map([['first', with_(60, 1.01)]]) }),
  );
  t.deepEqual(alone.because, ['no replay of then: run pmvx replay first']);
});
