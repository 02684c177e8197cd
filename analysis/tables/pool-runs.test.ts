// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import type { Spec } from '../../harness/core/spec.ts';
import type { EngineName, TrialRecord } from '../../harness/core/trial.ts';
import { outcomeTable } from './outcome-table.ts';
import { type PooledRun, poolRuns } from './pool-runs.ts';
import { sampleRun } from './sample-run.ts';

function run(
  name: string,
  more: { engine?: EngineName; image?: string; host?: string; seeds?: number; values?: number[] } = {},
): PooledRun {
  const { engine = 'kvm', image = 'quick-1', host = 'a', seeds = 0, values = [0.5, 0.6, 0.55] } = more;
  const input = sampleRun(
    [{ workload: 'hackbench', ends: { eevdf: [1, 1.1, 1.2], scx_simple: values } }],
    name,
  );
  const { machine } = input.spec;
  const rest = { image, order: 'listed', controls: [] } as const;
  return {
    run: name,
    spec: { ...input.spec, ...rest, machine: { ...machine, engine } } as Spec,
    planned: input.planned.map((trial) => ({ ...trial, seed: (trial.seed + seeds) as never })),
    records: input.records.map((record) => ({
      ...record,
      engine,
      seed: record.seed + seeds,
      host: { ...record.host, startedAt: `${name}, ${record.block}` },
    })),
    image,
    host,
  };
}

const simple = (...runs: PooledRun[]) => {
  const table = outcomeTable(poolRuns(runs, { mixed: true }));
  const row = table.rows.find(({ policy }) => policy === 'scx_simple');
  const method = row?.ratio?.kind === 'interval' ? row.ratio.method : undefined;
  return { n: row?.n, hosts: row?.hosts, method, notes: table.notes };
};

test('runs of one host are more blocks, and their pairs stay within their own blocks', (t) => {
  const { n, hosts, method } = simple(run('one'), run('two', { seeds: 50 }));
  t.deepEqual({ n, hosts, method }, { n: 6, hosts: 1, method: 'paired-t' });
});

test('blocks of several hosts nest in them: the host is the unit', (t) => {
  const one = run('one');
  const other = run('two', { host: 'b', values: [0.7, 0.8, 0.75] });
  const { n, hosts, method, notes } = simple(one, other);
  t.deepEqual({ n, hosts, method }, { n: 6, hosts: 2, method: 'host-means-t' });
  t.true(notes.some((note) => note.startsWith('blocks are of 2 hosts or labs')));
});

test('blocks of one run nest in the nodes that its records name, but not on exact', (t) => {
  const onNodes = (engine: EngineName) => {
    const one = run('one', { engine });
    const records = one.records.map((record) => ({
      ...record,
      host: { ...record.host, fingerprint: record.block === 1 ? 'n2-b' : 'n1-a' },
    }));
    return simple({ ...one, records });
  };
  t.is(onNodes('kvm').hosts, 2);
  t.is(onNodes('kvm').method, 'host-means-t');
  t.is(onNodes('exact').hosts, 1);
  t.is(simple(run('one')).hosts, 1, 'records from before they named nodes');
});

test('on exact the same seed is the same trial and counts once; another seed, or another policy, counts', (t) => {
  const one = run('one', { engine: 'exact' });
  const again = simple(one, run('two', { engine: 'exact', host: 'b' }));
  t.is(again.n, 3);
  t.true(
    again.notes.some((note) => note.startsWith('6 trials of two are those of an earlier run once more')),
  );
  const more = simple(one, run('two', { engine: 'exact', host: 'b', seeds: 50 }));
  t.deepEqual([more.n, more.hosts], [6, 1], 'hosts make no difference there');
});

test('different engines, images or machines are refused unless asked for, with why', (t) => {
  const small = run('small');
  const big = { ...run('big'), spec: { ...small.spec, machine: { ...small.spec.machine, vcpus: 8 } } };
  const refusal = (...runs: PooledRun[]) => t.throws(() => poolRuns(runs))?.message ?? '';
  const next =
    'pmvx compare sets two runs side by side; --mixed takes them together all the same, engine by engine';
  t.is(
    refusal(small, run('tcg', { engine: 'tcg' })),
    `small, tcg: the runs are of different engines (kvm; tcg): time means something else on each. ${next}`,
  );
  t.regex(refusal(small, run('new', { image: 'quick-2' })), /different images \(quick-1; quick-2\)/);
  t.regex(
    refusal(small, big),
    /different machines \(4 vCPUs, .*; 8 vCPUs, .*\): schedulers act differently on each/,
  );
  t.notThrows(() => poolRuns([small, big], { mixed: true }));
  const mixed = outcomeTable(poolRuns([small, run('tcg', { engine: 'tcg' })], { mixed: true }));
  t.deepEqual(
    mixed.rows.map(({ engine, policy, n }) => [engine, policy, n]),
    [
      ['kvm', 'eevdf', 3],
      ['kvm', 'scx_simple', 3],
      ['tcg', 'eevdf', 3],
      ['tcg', 'scx_simple', 3],
    ],
  );
});

test('the same run twice, or other baselines, are refused', (t) => {
  const one = run('one');
  t.throws(() => poolRuns([one, one]), { message: 'one: the run is given twice. Give each run once' });
  const other = { ...run('two'), spec: { ...run('two').spec, baseline: 'scx_simple' } };
  t.throws(() => poolRuns([one, other], { mixed: true }), {
    message: /different baselines: eevdf and scx_simple/,
  });
});

test('one record in two runs is refused with both places: it was measured once', (t) => {
  const [one, other] = [run('one'), run('two', { seeds: 50 })];
  const third = other.records[2] as TrialRecord;
  const merged: PooledRun = {
    ...run('merged', { seeds: 50 }),
    records: run('merged', { seeds: 50 }).records.map((record, at) =>
      at === 4 ? { ...third, trial: record.trial, block: record.block, policy: record.policy } : record,
    ),
  };
  t.notThrows(() => poolRuns([one, other, merged]), 'a record of another cell that began in the same moment');
  t.throws(() => poolRuns([one, other, { ...other, run: 'merged' }]), {
    message:
      'two/0000 and merged/0000: hackbench default under eevdf, quiescent, measure, seed 150, is one record in two runs: measured once, at two, 0. Leave one of the runs out; a merged run holds those that it was made of',
  });
});

test('on exact two results of one trial are a broken lab, unless one was cut short', (t) => {
  const one = run('one', { engine: 'exact' });
  const other = run('two', { engine: 'exact', host: 'b', values: [0.5, 0.61, 0.55] });
  const error = t.throws(() => poolRuns([one, other]), { instanceOf: PmvxError });
  t.is(error?.code, ExitCode.image);
  t.regex(
    error?.message ?? '',
    /^one\/0004 and two\/0004: hackbench default under scx_simple, .* two results/,
  );
  const again = run('two', { engine: 'exact' });
  const records = again.records.map((record): TrialRecord => {
    if (record.trial !== '0004' || record.state !== 'completed') return record;
    const { metrics: _, ...facts } = record;
    return { ...facts, state: 'crashed', reason: 'killed' };
  });
  t.is(simple(one, { ...again, records }).n, 3);
});
