// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import test from 'ava';
import type { Spec } from '../../harness/core/spec.ts';
import type { EngineName } from '../../harness/core/trial.ts';
import type { PooledRun } from '../tables/pool-runs.ts';
import { type SampleEnd, type SampleWorkload, sampleRun } from '../tables/sample-run.ts';
import { COMPARE_COLUMNS, compareRows } from './compare-rows.ts';
import { compareRuns } from './compare-runs.ts';

const FAILED = { state: 'ejected', reason: 'stall' } as const;
const BASE = [1, 1.1, 1.2, 1.3, 1.15, 1.25];

function run(
  name: string,
  simple: readonly SampleEnd[],
  more: { seeds?: number; engine?: EngineName; metric?: SampleWorkload['metric'] } = {},
): PooledRun {
  const { seeds = 0, engine = 'mock', metric } = more;
  const ends = {
    eevdf: BASE,
    aa: BASE.map((value, at) => value * (at % 2 === 0 ? 1.01 : 0.99)),
    scx_simple: simple,
  };
  const input = sampleRun(
    [{ workload: 'hackbench', ends, ...(metric === undefined ? {} : { metric }) }],
    name,
  );
  return {
    run: name,
    spec: { ...input.spec, machine: { ...input.spec.machine, engine } } as Spec,
    planned: input.planned,
    records: input.records.map((record) => ({ ...record, seed: record.seed + seeds })),
    image: 'i',
    host: 'h',
  };
}

const times = (factor: number, spread = 0.001) =>
  BASE.map((value, at) => value * factor * (1 + (at % 2 === 0 ? spread : -spread)));
const simpleOf = (a: PooledRun, b: PooledRun) =>
  compareRuns(a, b).rows.find(({ policy }) => policy === 'scx_simple');

test('blocks of the same seed are paired, and what is surely slower is a regression', (t) => {
  const a = run('a', BASE);
  const slower = compareRuns(a, run('b', times(1.2)));
  const [eevdf, simple] = slower.rows;
  t.like(eevdf, { policy: 'eevdf', verdict: 'equivalent', regression: false });
  t.like(simple, { policy: 'scx_simple', verdict: 'worse', regression: true });
  t.is(simple?.ratio.kind === 'interval' && simple.ratio.method, 'paired-t');
  t.is(slower.regressions, 1);
  t.is(compareRuns(a, run('b', times(0.8))).regressions, 0);
  t.is(simpleOf(a, run('b', times(1.01)))?.verdict, 'equivalent');
  t.like(simpleOf(a, run('b', times(1.1, 0.5))), { verdict: 'undecided', regression: false });
});

test('the same figures in every block are equivalent, another factor in every block is no chance', (t) => {
  const a = run('a', BASE);
  t.like(simpleOf(a, run('b', BASE)), { verdict: 'equivalent', p: 0, regression: false });
  t.like(simpleOf(a, run('b', times(2, 0))), { verdict: 'worse', regression: true });
});

test('runs without a common seed are two samples', (t) => {
  const row = simpleOf(run('a', BASE), run('b', times(3), { seeds: 500 }));
  t.is(row?.ratio.kind === 'interval' && row.ratio.method, 'welch-t');
  t.like(row, { verdict: 'worse', regression: true });
});

test('a policy of which nothing is left is a regression, a new failure now and then is shown', (t) => {
  const a = run('a', BASE);
  t.like(
    simpleOf(
      a,
      run(
        'b',
        BASE.map(() => FAILED),
      ),
    ),
    { regression: true, failureRateA: 0, failureRateB: 1 },
  );
  t.like(simpleOf(a, run('b', [FAILED, ...BASE.slice(1)])), { regression: false, failureRateB: 1 / 6 });
  t.is(
    simpleOf(
      run(
        'a',
        BASE.map(() => FAILED),
      ),
      run('b', BASE),
    )?.regression,
    false,
  );
});

test('failures that rise for sure are a regression, however many cells there are, and a few are shown', (t) => {
  const a = run('a', BASE);
  const failing = (count: number) => BASE.map((value, at) => (at < count ? FAILED : value));
  t.like(simpleOf(a, run('b', failing(5))), { verdict: 'fails', regression: true, failureRateB: 5 / 6 });
  t.true((simpleOf(a, run('b', failing(5)))?.pFailures ?? 1) < 0.05);
  t.like(simpleOf(a, run('b', failing(2))), { verdict: 'fails', regression: false });
  t.is(simpleOf(run('a', failing(5)), run('b', BASE))?.regression, false, 'fewer failures');
  const half = (name: string, count: number) => run(name, [...failing(count)]);
  t.is(compareRuns(half('a', 3), half('b', 3)).regressions, 0);
});

test('blocks nest in the hosts that they ran on: hosts are what is counted', (t) => {
  const ten = (factors: readonly number[]) =>
    factors.flatMap((factor) => BASE.slice(0, 5).map((v) => v * factor));
  const on = (name: string, factors: readonly number[], hosts: number): PooledRun => {
    const ends = { eevdf: ten([1, 1, 1]), scx_simple: ten(factors) };
    const input = sampleRun([{ workload: 'hackbench', ends }], name);
    const records = input.records.map((record) => ({
      ...record,
      engine: 'kvm' as const,
      host: { ...record.host, fingerprint: `host-${hosts === 1 ? 0 : Math.floor(record.block / 5)}` },
    }));
    const spec = { ...input.spec, machine: { ...input.spec.machine, engine: 'kvm' } } as Spec;
    return { run: name, spec, planned: input.planned, records, image: 'i', host: 'h' };
  };
  const before = (hosts: number) => on('a', [1, 1, 1], hosts);
  // Each host has its own factor, the same in all of its blocks.
  const factors = [1.05, 1.3, 1.6];
  const nested = simpleOf(before(3), on('b', factors, 3));
  t.is(nested?.ratio.kind === 'interval' && nested.ratio.method, 'host-means-t');
  t.like(nested, { verdict: 'undecided', regression: false });
  const flat = simpleOf(before(1), on('b', factors, 1));
  t.is(flat?.ratio.kind === 'interval' && flat.ratio.method, 'paired-t');
  t.true((nested?.p ?? 0) > (flat?.p ?? 1));
});

test('what one run alone has is named; nothing in common, other engines or metrics are refused', (t) => {
  const a = run('a', BASE);
  const { records } = run('b', BASE);
  const b = {
    ...run('b', BASE),
    records: records.map((r) => ({ ...r, policy: r.policy.replace('simple', 'rusty') })),
  };
  const fewer = { ...b, spec: { ...b.spec, policies: ['eevdf', 'scx_rusty'] }, planned: [] };
  t.deepEqual(compareRuns(a, fewer).alone, [
    'hackbench default at quiescent, scx_simple: in a alone',
    'hackbench default at quiescent, scx_rusty: in b alone',
  ]);
  const elsewhere = { ...b, spec: { ...b.spec, workloads: [] }, planned: [], records: [] };
  t.throws(() => compareRuns(a, elsewhere), { message: /no workload, point and policy in common/ });
  const tcg = run('b', BASE, { engine: 'tcg' });
  t.throws(() => compareRuns(a, tcg), {
    message: /different engines \(mock; tcg\): time means something else/,
  });
  t.notThrows(() => compareRuns(a, tcg, { mixed: true }));
  const other = run('b', BASE, { metric: { name: 'ops', unit: 'ops/s', direction: 'higher' } });
  t.throws(() => compareRuns(a, other), {
    message: /different metrics: time \(s, lower is better\) and ops/,
  });
});

test('results/README.md documents every column of a comparison', (t) => {
  const readme = readFileSync(resolve(import.meta.dirname, '../../results/README.md'), 'utf8');
  const section = readme.split('## `compare --csv`')[1]?.split('\n## ')[0] ?? '';
  const cells = section.split('\n').map((line) => line.split('|')[1] ?? '');
  const documented = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]));
  t.deepEqual(documented.toSorted(), [...COMPARE_COLUMNS].toSorted());
  for (const row of compareRows(compareRuns(run('a', BASE), run('b', BASE))))
    t.deepEqual(Object.keys(row), [...COMPARE_COLUMNS]);
});

test('a flat row has the interval and the tests of its cell, each in its own column', (t) => {
  const comparison = compareRuns(run('a', BASE), run('b', times(1.2, 0.01)));
  const at = comparison.rows.findIndex(({ policy }) => policy === 'scx_simple');
  const { ratio, tested, verdict, medianA, medianB, pFailures } = comparison.rows[at] ?? {};
  if (ratio?.kind !== 'interval') return t.fail();
  t.true(ratio.low < ratio.ratio && ratio.ratio < ratio.high && (ratio.p ?? 1) < 0.05);
  t.deepEqual(compareRows(comparison)[at], {
    workload: 'hackbench',
    variant: 'default',
    point: 'quiescent',
    policy: 'scx_simple',
    metric: 'time',
    unit: 's',
    direction: 'lower',
    median_a: medianA,
    median_b: medianB,
    ratio: ratio.ratio,
    low: ratio.low,
    high: ratio.high,
    interval_method: 'paired-t',
    p: ratio.p,
    p_differs: tested?.pDiffers,
    p_equivalent: tested?.pEquivalent,
    noise: tested?.noise,
    verdict,
    n: 6,
    failure_rate_a: 0,
    failure_rate_b: 0,
    p_failures: pFailures,
    regression: 'yes',
  });
  t.is(compareRows(comparison).find(({ policy }) => policy === 'eevdf')?.regression, 'no');
});
