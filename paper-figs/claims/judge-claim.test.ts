// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { LabelledVector } from '../../analysis/features/separation.ts';
import { arcOfWorkloads, sampleExample, unitOf } from '../../analysis/policy-map/choose/sample-examples.ts';
import type { Example } from '../../analysis/policy-map/choose/training.ts';
import { type SampleWorkload, sampleRun } from '../../analysis/tables/sample-run.ts';
import type { ClaimTest } from './claims.ts';
import type { Evidence, JudgedRun } from './finding.ts';
import { judgeClaim } from './judge-claim.ts';

function evidence(runs: Readonly<Record<string, JudgedRun>>, over: Partial<Evidence> = {}): Evidence {
  const none = { classes: new Map(), policies: new Map(), vectors: new Map(), situations: new Map() };
  return { runs: new Map(Object.entries(runs)), ...none, ...over };
}

function run(...workloads: SampleWorkload[]): JudgedRun {
  return sampleRun(workloads);
}

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
