// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { shuffled } from '../../harness/core/seed.ts';
import { outcomeTable } from './outcome-table.ts';
import type { OutcomeRow, TableInput } from './outcome-types.ts';
import { requireMetric } from './pick-metric.ts';
import { type SampleEnd, sampleRun } from './sample-run.ts';

const REFUSED = { state: 'refused', reason: 'verifier: R1 invalid mem access' } as const;
const EJECTED = { state: 'ejected', reason: 'runnable task stall' } as const;

function row(input: TableInput, policy: string, role: OutcomeRow['role'] = 'measure'): OutcomeRow {
  const found = outcomeTable(input).rows.find((each) => each.policy === policy && each.role === role);
  if (found === undefined) throw new Error(`no row ${policy} ${role}`);
  return found;
}

function oneWorkload(ends: Readonly<Record<string, readonly SampleEnd[]>>): TableInput {
  return sampleRun([{ workload: 'hackbench', ends }]);
}

test('policy and baseline are paired by block, and blocks in which either is missing do not count', (t) => {
  const input = oneWorkload({
    eevdf: [1, 2, EJECTED, 8],
    scx_simple: [0.5, REFUSED, 3, 2],
  });
  const { n, ratio, median, failures } = row(input, 'scx_simple');
  t.is(n, 2);
  // Blocks 0 and 3: ratios 1/2 and 1/4.
  t.is(ratio?.kind === 'interval' ? ratio.ratio.toFixed(12) : undefined, Math.sqrt(1 / 8).toFixed(12));
  // All that completed, paired or not.
  t.is(median, 2);
  t.deepEqual(failures, [{ note: 2, ...REFUSED, trials: ['0005'] }]);
  t.is(row(input, 'eevdf', 'baseline').n, 3);
  t.deepEqual(row(input, 'eevdf', 'baseline').failures, [{ note: 1, ...EJECTED, trials: ['0002'] }]);
});

test('a policy with failures only keeps its row, without figures', (t) => {
  const failed = row(oneWorkload({ eevdf: [1, 2], scx_qmap: [REFUSED, REFUSED] }), 'scx_qmap');
  t.is(failed.median, undefined);
  t.deepEqual(failed.ratio, { kind: 'none', pairs: 0, why: 'no-pairs' });
  t.is(failed.verdict, 'fails');
  t.is(failed.n, 0);
  t.deepEqual(failed.failures, [{ note: 1, ...REFUSED, trials: ['0002', '0003'] }]);
});

test('a run of failures only has every row and no metric', (t) => {
  const table = outcomeTable(oneWorkload({ eevdf: [EJECTED], scx_qmap: [REFUSED] }));
  t.deepEqual(
    table.rows.map(({ policy, metric, median }) => ({ policy, metric, median })),
    [
      { policy: 'eevdf', metric: undefined, median: undefined },
      { policy: 'scx_qmap', metric: undefined, median: undefined },
    ],
  );
});

test('planned trials that have not run yet keep their rows, and a note says how many there are', (t) => {
  const table = outcomeTable(oneWorkload({ eevdf: [1, undefined], scx_simple: [undefined, undefined] }));
  t.deepEqual(
    table.rows.map(({ policy, planned, recorded, n }) => ({ policy, planned, recorded, n })),
    [
      { policy: 'eevdf', planned: 2, recorded: 1, n: 1 },
      { policy: 'scx_simple', planned: 2, recorded: 0, n: 0 },
    ],
  );
  t.is(table.notes[0], 'not finished: 1 of 4 planned trials are recorded so far');
});

test('trials of different points are never paired, and each point has its rows in the order of the spec', (t) => {
  const input = sampleRun([
    { workload: 'hackbench', ends: { eevdf: [1, 2], scx_simple: [2, 4] } },
    { workload: 'hackbench', point: '2s', ends: { eevdf: [1, 2], scx_simple: [0.5, 1] } },
  ]);
  const { points, workloads, ...spec } = input.spec;
  t.deepEqual(points, ['quiescent', '2s']);
  const table = outcomeTable({ ...input, spec: { ...spec, points, workloads: workloads.slice(0, 1) } });
  t.deepEqual(
    table.rows.map(({ point, policy, n, ratio }) => [
      point,
      policy,
      n,
      ratio?.kind === 'interval' && ratio.ratio,
    ]),
    [
      ['quiescent', 'eevdf', 2, false],
      ['quiescent', 'scx_simple', 2, 2],
      ['2s', 'eevdf', 2, false],
      ['2s', 'scx_simple', 2, 0.5],
    ],
  );
  t.true(
    table.notes.includes(
      "at 2s: policies take over in the run; a workload's own metrics include what came before, the same under all",
    ),
  );
});

test("where the policy took over in the run the harness's own time is the primary metric, and is explained", (t) => {
  const metric = { name: 'time_after', unit: 's', direction: 'lower' } as const;
  const table = outcomeTable(
    sampleRun([{ workload: 'hackbench', point: 'warm', metric, ends: { eevdf: [1], scx_simple: [2] } }]),
  );
  t.is(table.rows[1]?.metric?.name, 'time_after');
  t.true(table.notes.some((note) => note.endsWith('; time_after: from there to the end of the run')));
});

test('forks are said to be not exact on engines that are not', (t) => {
  const input = oneWorkload({ eevdf: [1], scx_simple: [1] });
  const notesOf = (counterfactual: 'fork' | 'boot', engine: 'exact' | 'tcg') =>
    outcomeTable({
      ...input,
      spec: { ...input.spec, counterfactual },
      records: input.records.map((record) => ({ ...record, engine })),
    }).notes.filter((note) => note.includes('not exact'));
  t.is(notesOf('fork', 'tcg').length, 1);
  t.deepEqual(notesOf('fork', 'exact'), []);
  t.deepEqual(notesOf('boot', 'tcg'), []);
});

test('the null control is a row of its own and never mixes with the baseline', (t) => {
  const input = oneWorkload({ eevdf: [1, 2, 3, 4, 5], aa: [2, 4, 6, 8, 10], scx_simple: [1, 2, 3, 4, 5] });
  t.deepEqual(
    outcomeTable(input).rows.map(({ policy, role }) => [policy, role]),
    [
      ['eevdf', 'baseline'],
      ['eevdf', 'aa'],
      ['scx_simple', 'measure'],
    ],
  );
  const aa = row(input, 'eevdf', 'aa').ratio;
  t.like(aa, { kind: 'interval', pairs: 5, zeroWidth: true });
  t.is(row(input, 'eevdf', 'baseline').median, 3);
  t.is(row(input, 'scx_simple').verdict, 'equivalent');
});

test('trials of different engines are never paired', (t) => {
  const input = oneWorkload({ eevdf: [1, 2], scx_simple: [1, 2] });
  const records = input.records.map((record) =>
    record.policy === 'scx_simple' ? { ...record, engine: 'tcg' as const } : record,
  );
  const table = outcomeTable({ ...input, records });
  const mixed = table.rows.filter((each) => each.engine === 'tcg' && each.policy === 'scx_simple');
  t.deepEqual(
    mixed.map(({ n, ratio }) => [n, ratio?.kind]),
    [[0, 'none']],
  );
  t.true(
    table.notes.includes('trials ran on several engines (mock, tcg): never compared with each other here'),
  );
});

test('values that are not positive give no ratio, and a note says so', (t) => {
  const table = outcomeTable(oneWorkload({ eevdf: [1, 2], scx_simple: [0, 2] }));
  t.deepEqual(table.rows[1]?.ratio, { kind: 'none', pairs: 2, why: 'not-positive' });
  t.true(
    table.notes.includes('hackbench default, scx_simple: no ratio, because a value is zero or negative'),
  );
});

test('the order in which trials ended does not show', (t) => {
  const input = sampleRun([
    {
      workload: 'hackbench',
      ends: { eevdf: [1, 3, 0.7], scx_simple: [0.3, 0.9, EJECTED], scx_qmap: [REFUSED, EJECTED, REFUSED] },
    },
    { workload: 'spinners', ends: { eevdf: [1, 2, 3], scx_simple: [4, 5, 6], scx_qmap: [1, 1, 1] } },
  ]);
  const expected = JSON.stringify(outcomeTable(input));
  for (let seed = 1; seed <= 5; seed++) {
    const records = shuffled(input.records, seed as never);
    t.is(JSON.stringify(outcomeTable({ ...input, records })), expected);
  }
});

test('another metric than the primary one is shown on request', (t) => {
  const input = oneWorkload({ eevdf: [1, 2], scx_simple: [3, 4] });
  const records = input.records.map((record) =>
    record.state === 'completed'
      ? {
          ...record,
          metrics: [
            ...record.metrics,
            { name: 'p99', unit: 'us', direction: 'lower', primary: false, value: 9 } as const,
          ],
        }
      : record,
  );
  const table = outcomeTable({ ...input, records, metric: 'p99' });
  t.deepEqual(table.rows[1]?.metric, { name: 'p99', unit: 'us', direction: 'lower' });
  t.is(table.rows[1]?.median, 9);
  t.is(outcomeTable({ ...input, records }).rows[1]?.metric?.name, 'time');
  t.throws(() => requireMetric(records, 'p98'), {
    message: '--metric: no completed trial has a metric p98. Did you mean p99?',
  });
});

test('records that disagree about the unit of a metric are not compared', (t) => {
  const input = oneWorkload({ eevdf: [1], scx_simple: [3] });
  const [first, second] = input.records;
  if (first?.state !== 'completed' || second?.state !== 'completed') return t.fail();
  const changed = { ...second, metrics: second.metrics.map((metric) => ({ ...metric, unit: 'ms' })) };
  t.throws(() => outcomeTable({ ...input, records: [first, changed] }), {
    message:
      'sample: hackbench: metric time is recorded in s (lower is better) and in ms (lower is better). ' +
      'The workload changed while the run was under way; start a new run',
  });
});
