// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { deriveSeed } from '../core/seed.ts';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';
import { formatPlan, formatPlanJson } from './format-plan.ts';
import { planTrials } from './plan.ts';

const spec: Spec = {
  name: 'sample',
  image: 'quick',
  machine: {
    engine: 'exact',
    vcpus: 4,
    memoryMiB: 1024,
    speed: 250,
    quantum: 5000,
    topology: { nodes: 1, sockets: 1, cores: 4, threads: 1 },
  },
  policies: ['eevdf', 'scx_simple', 'scx_flatcg', 'scx_central'],
  workloads: [
    { workload: 'hackbench', variant: 'groups=2', params: { groups: 2 } },
    { workload: 'hackbench', variant: 'groups=4', params: { groups: 4 } },
    { workload: 'boot', variant: 'default', params: {} },
  ],
  counterfactual: 'fork',
  points: ['quiescent'],
  seeds: { base: 7, count: 5 },
  order: 'randomised',
  baseline: 'eevdf',
  controls: [],
  stop: { rule: 'fixed' },
};

const identity = ({ block, workload, variant, policy, role }: PlannedTrial) =>
  [block, workload, variant, policy, role].join(' ');

const use = ({ workload, variant }: PlannedTrial) => `${workload} ${variant}`;

/** Lengths of the runs of equal neighbours. */
function runs(values: readonly string[]): number[] {
  const starts = values.flatMap((value, index) => (value === values[index - 1] ? [] : [index]));
  return starts.map((start, index) => (starts[index + 1] ?? values.length) - start);
}

test('the same spec gives the same plan, byte for byte', (t) => {
  const first = planTrials(spec);
  const again = planTrials(structuredClone(spec));
  t.is(formatPlan(again), formatPlan(first));
  t.is(formatPlanJson(again), formatPlanJson(first));
  t.deepEqual(JSON.parse(formatPlanJson(first)), first);
});

test('plans of this version keep their bytes: a change here changes every published plan', (t) => {
  const plan = planTrials({ ...spec, controls: ['aa'], seeds: { base: 7, count: 2 } });
  const expected = readFileSync(join(import.meta.dirname, 'plan.expected.txt'), 'utf8');
  t.is(`${plan.digest}\n${formatPlan(plan)}\n`, expected);
});

test('every block holds every workload under every policy exactly once', (t) => {
  const { trials } = planTrials(spec);
  t.is(trials.length, 5 * 3 * 4);
  t.is(new Set(trials.map(identity)).size, trials.length);
  t.deepEqual(runs(trials.map(({ block }) => String(block))), [12, 12, 12, 12, 12]);
});

test('the policies of one workload follow each other, so that a pair runs close together', (t) => {
  const { trials } = planTrials(spec);
  for (let block = 0; block < 5; block++) {
    t.deepEqual(runs(trials.filter((trial) => trial.block === block).map(use)), [4, 4, 4]);
  }
});

test('all trials of a block share its seed, and blocks differ', (t) => {
  const { trials } = planTrials(spec);
  for (const { block, seed } of trials) t.is(seed, deriveSeed(7, 'block', block));
  t.is(new Set(trials.map(({ seed }) => seed)).size, 5);
});

test('the order differs between blocks and between workloads of a block', (t) => {
  const { trials } = planTrials(spec);
  const orders = Map.groupBy(trials, (trial) => `${trial.block} ${use(trial)}`).values();
  t.true(new Set([...orders].map((group) => group.map(({ policy }) => policy).join())).size > 5);
  const byBlock = Map.groupBy(trials, ({ block }) => block).values();
  t.true(new Set([...byBlock].map((group) => [...new Set(group.map(use))].join())).size > 1);
});

test('every policy takes every place about equally often', (t) => {
  const blocks = 400;
  const { trials } = planTrials({ ...spec, seeds: { base: 1, count: blocks } });
  const places = new Map<string, number>();
  trials.forEach(({ policy }, index) => {
    const key = `${policy} ${index % 4}`;
    places.set(key, (places.get(key) ?? 0) + 1);
  });
  // 1200 draws with probability 1/4: 300 expected, standard deviation 15.
  for (const [key, count] of places) t.true(Math.abs(count - 300) < 75, `${key}: ${count}`);
  t.is(places.size, 16);
});

test('one more policy, workload or block changes the seed of no other trial', (t) => {
  const seeds = (other: Spec) =>
    new Map(planTrials(other).trials.map((trial) => [identity(trial), trial.seed]));
  const before = seeds({ ...spec, controls: ['aa'] });
  const more = seeds({
    ...spec,
    controls: ['aa'],
    policies: ['scx_qmap', ...spec.policies],
    workloads: [{ workload: 'spinners', variant: 'tasks=6', params: { tasks: 6 } }, ...spec.workloads],
    seeds: { base: 7, count: 6 },
  });
  for (const [trial, seed] of before) t.is(more.get(trial), seed);
});

test('another base gives other seeds and another order', (t) => {
  const other = planTrials({ ...spec, seeds: { base: 8, count: 5 } });
  const plan = planTrials(spec);
  t.not(other.digest, plan.digest);
  t.not(other.trials.map(identity).join(), plan.trials.map(identity).join());
  const seeds = new Set(plan.trials.map(({ seed }) => seed));
  t.false(other.trials.some(({ seed }) => seeds.has(seed)));
});

test('each point is met by every policy, after the one before it, in an order of its own', (t) => {
  const points = ['warm', 'quiescent', '2s'] as const;
  const { trials } = planTrials({ ...spec, controls: ['aa'], points });
  t.is(trials.length, 5 * 3 * 3 * 5);
  for (let at = 0; at < trials.length; at += 15) {
    const group = trials.slice(at, at + 15);
    t.is(new Set(group.map(({ block }) => block)).size * new Set(group.map(use)).size, 1);
    t.deepEqual(runs(group.map(({ point }) => point)), [5, 5, 5]);
    t.deepEqual([...new Set(group.map(({ point }) => point))], [...points]);
  }
  const alone = planTrials({ ...spec, controls: ['aa'] }).trials.map(identity);
  const among = trials.filter(({ point }) => point === 'quiescent').map(identity);
  t.deepEqual(among, alone, 'other points change no order');
  const late = trials.filter(({ point }) => point === '2s').map(identity);
  t.deepEqual(late.toSorted(), alone.toSorted());
  t.notDeepEqual(late, alone);
  for (const { block, role, seed } of trials) {
    t.is(seed, deriveSeed(7, role === 'aa' ? 'aa' : 'block', block));
  }
});

test('the listed order is the order of the spec', (t) => {
  const { trials } = planTrials({ ...spec, order: 'listed', controls: ['aa'], seeds: { base: 7, count: 1 } });
  t.deepEqual(trials.slice(0, 5).map(identity), [
    '0 hackbench groups=2 eevdf measure',
    '0 hackbench groups=2 scx_simple measure',
    '0 hackbench groups=2 scx_flatcg measure',
    '0 hackbench groups=2 scx_central measure',
    '0 hackbench groups=2 eevdf aa',
  ]);
  t.deepEqual([...new Set(trials.map(use))], ['hackbench groups=2', 'hackbench groups=4', 'boot default']);
});

test('the null control is the baseline once more, under another seed, somewhere among the policies', (t) => {
  const { trials } = planTrials({ ...spec, baseline: 'scx_flatcg', controls: ['aa'] });
  const controls = trials.filter(({ role }) => role === 'aa');
  t.is(controls.length, 5 * 3);
  const measured = new Set(trials.filter(({ role }) => role === 'measure').map(({ seed }) => seed));
  for (const { policy, seed, block } of controls) {
    t.is(policy, 'scx_flatcg');
    t.is(seed, deriveSeed(7, 'aa', block));
    t.false(measured.has(seed));
  }
  t.true(new Set(controls.map((trial) => trials.indexOf(trial) % 5)).size > 1);
});

test('trials are numbered from 1 in plan order, in names that sort as they run', (t) => {
  const few = planTrials(spec).trials.map(({ trial }) => trial);
  t.is(few[0], '0001');
  t.is(few.at(-1), '0060');
  const many = planTrials({ ...spec, seeds: { base: 1, count: 1000 } }).trials.map(({ trial }) => trial);
  t.is(many[0], '00001');
  t.is(many.at(-1), '12000');
  t.deepEqual(many.toSorted(), many);
});

test('a hundred thousand trials are planned in under two seconds', (t) => {
  const long = { ...spec, workloads: spec.workloads.slice(0, 2), seeds: { base: 1, count: 10_000 } };
  const large: Spec = { ...long, policies: [...spec.policies, 'scx_cpu0'] };
  // Time of this thread alone: other tests may share the processor.
  const before = process.threadCpuUsage();
  t.is(planTrials(large).trials.length, 100_000);
  const { user, system } = process.threadCpuUsage(before);
  t.true(user + system < 2_000_000, `${(user + system) / 1e6} s`);
});
