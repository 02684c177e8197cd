// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { agreements } from './agreement.ts';
import { engineCosts } from './cost.ts';
import { formatFidelity } from './fidelity-markdown.ts';
import { fidelityRows } from './fidelity-rows.ts';
import { sampleEngine, sampleFidelity } from './sample-fidelity.ts';
import { sweepsOf } from './sweeps.ts';

const use = (workload: string, variant: string, params: Record<string, string | number>) => ({
  workload,
  variant,
  params,
});

test('a sweep is a workload of which one number varies, in ascending steps', (t) => {
  const uses = [
    use('spinners', 'tasks=8', { tasks: 8, units: 2 }),
    use('spinners', 'tasks=1', { tasks: 1, units: 2 }),
    use('pipe', 'loops=5', { loops: 5 }),
    use('hackbench', 'a', { groups: 1, loops: 1 }),
    use('hackbench', 'b', { groups: 2, loops: 2 }),
    use('messaging', 'a', { transport: 'pipe' }),
    use('messaging', 'b', { transport: 'socket' }),
  ];
  t.deepEqual(sweepsOf(uses), [
    {
      workload: 'spinners',
      parameter: 'tasks',
      steps: [
        { value: 1, variant: 'tasks=1' },
        { value: 8, variant: 'tasks=8' },
      ],
    },
  ]);
});

test('there is a row for each workload, policy and engine, and what an engine lacks is missing with its reason', (t) => {
  const { spec, runs } = sampleFidelity();
  const rows = fidelityRows(spec, runs);
  t.is(rows.length, 2 * 3 * 4);
  const row = (policy: string, engine: string, step: number) =>
    rows.find((each) => each.policy === policy && each.engine === engine && each.step === step);
  t.like(row('scx_simple', 'exact', 2), { median: 10.125, scaled: 4.5, n: 2, host_seconds: 2.5 });
  t.is(Number(row('scx_simple', 'exact', 2)?.ratio).toFixed(12), '3.000000000000');
  t.like(row('eevdf', 'native', 2), { median: 1, ratio: undefined, scaled: 2 });
  t.like(row('eevdf', 'kvm', 1), { median: undefined, planned: undefined, reasons: 'there is no /dev/kvm' });
  t.like(row('scx_central', 'native', 1), {
    median: undefined,
    reasons: 'native runs the built-in policy only',
  });
});

test('engines that order policies alike agree fully, and the interval says how sure that is', (t) => {
  const { spec, runs } = sampleFidelity();
  const [policies, ...others] = agreements(spec, runs);
  // Ratios on exact 2, 4, 3, 5; on tcg (means) 1.15, 1.35, 1.3, 1.65: the same order.
  t.like(policies, { kind: 'policies', engines: ['exact', 'tcg'], items: 4, blocks: 2, tau: 1 });
  t.true(policies?.interval !== undefined && policies.interval.high === 1 && policies.interval.low <= 1);
  t.deepEqual(
    others.map(({ kind, engines, items, tau }) => [kind, engines.join('-'), items, tau]),
    [
      ['policies', 'exact-native', 0, undefined],
      ['policies', 'tcg-native', 0, undefined],
      ['scaling', 'exact-tcg', 1, undefined],
      ['scaling', 'exact-native', 1, undefined],
      ['scaling', 'tcg-native', 1, undefined],
    ],
  );
});

test('engines that order policies in opposite ways disagree fully', (t) => {
  const one = sampleEngine('exact', { 1: { eevdf: [1, 1], scx_simple: [2, 2], scx_central: [3, 3] } });
  const other = sampleEngine('tcg', { 1: { eevdf: [1, 1], scx_simple: [3, 3], scx_central: [2, 2] } });
  const [agreement] = agreements(one.spec, [one.run, other.run]);
  t.like(agreement, { tau: -1, interval: { low: -1, high: -1 } });
});

test('an order that depends on the block gives a wide interval, the same at every call', (t) => {
  const one = sampleEngine('exact', { 1: { eevdf: [1, 1, 1], a: [2, 9, 2], b: [3, 3, 3], c: [4, 1, 4] } });
  const other = sampleEngine('tcg', { 1: { eevdf: [1, 1, 1], a: [2, 2, 2], b: [3, 3, 3], c: [4, 4, 4] } });
  const [agreement] = agreements(one.spec, [one.run, other.run]);
  const interval = agreement?.interval;
  t.true(interval !== undefined && interval.high === 1 && interval.low === -1, JSON.stringify(agreement));
  t.deepEqual(agreements(one.spec, [one.run, other.run])[0], agreement);
});

test('trials that did not complete are in no order, and in the counts', (t) => {
  const refused = { state: 'refused', reason: 'verifier' } as const;
  const one = sampleEngine('exact', {
    1: { eevdf: [1, 1], a: [2, 2], b: [3, refused], c: [refused, refused] },
  });
  const other = sampleEngine('tcg', { 1: { eevdf: [1, 1], a: [2, 2], b: [3, 3], c: [4, 4] } });
  t.like(agreements(one.spec, [one.run, other.run])[0], { items: 2, tau: 1 });
  t.like(engineCosts([one.run])[0], {
    planned: 8,
    recorded: 8,
    completed: 5,
    medianSeconds: 2.5,
    totalSeconds: 20,
  });
  const rows = fidelityRows(one.spec, [one.run]);
  t.like(rows.at(-1), { policy: 'c', planned: 2, completed: 0, ratio: undefined, reasons: 'verifier' });
});

test('the report names every engine, and a column that is empty stays empty', (t) => {
  const { spec, runs } = sampleFidelity();
  const text = formatFidelity({
    ...{ name: 'sample', baseline: 'eevdf', vcpus: 2, blocks: 2 },
    engines: [
      { engine: 'exact', works: true, why: 'booted' },
      { engine: 'tcg', works: true, why: 'booted' },
      { engine: 'kvm', works: false, why: 'there is no /dev/kvm' },
      { engine: 'native', works: true, why: 'ran' },
    ],
    ...{ costs: engineCosts(runs), agreements: agreements(spec, runs), rows: fidelityRows(spec, runs) },
  });
  t.true(text.includes('| kvm | no | there is no /dev/kvm |'));
  t.true(text.includes('| 2 | 3.000 (3.375 s) | 1.000 (10.00 s) | - | 2.000 (1.000 s) |'), text);
  t.true(text.includes('| scx\\_central | 5.000 (5.000 to 5.000) | 1.649 (1.122 to 2.424) | - | - |'), text);
  t.false(/NaN|undefined|Infinity/.test(text));
});
