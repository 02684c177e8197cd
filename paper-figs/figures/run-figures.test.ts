// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { objectiveRows } from '../../analysis/objectives/objective-rows.ts';
import { type DistributionRow, distributionRows } from '../../analysis/tables/distribution-rows.ts';
import { outcomeTable } from '../../analysis/tables/outcome-table.ts';
import { type SampleWorkload, sampleRun } from '../../analysis/tables/sample-run.ts';
import { tableRows } from '../../analysis/tables/table-rows.ts';
import { timelineRows } from '../../analysis/tables/timeline-rows.ts';
import { histogramOf } from '../../harness/core/histogram.ts';
import { ecdfPages, latencyEcdf } from './ecdf.ts';
import { forestPages, forestPlot } from './forest.ts';
import { heatmap } from './heatmap.ts';
import { paretoPages, paretoPlot } from './pareto.ts';
import { placeLabels } from './place-labels.ts';
import { policyParts } from './policies.ts';
import { scalingCurves } from './scaling.ts';
import { trialTimeline } from './timeline.ts';

const REFUSED = { state: 'refused', reason: 'verifier' } as const;
const GIVEN = { run: 'sample', baseline: 'eevdf', policies: ['eevdf', 'fast', 'slow', 'gone', 'part'] };
const RATE = { name: 'rate', unit: 'ops/s', direction: 'higher' } as const;
const ENDS = {
  eevdf: [1, 1.001, 0.999, 1, 1.001],
  fast: [0.5, 0.5, 0.501, 0.499, 0.5],
  slow: [2, 2, 2.001, 1.999, 2.001],
  gone: [REFUSED, REFUSED, REFUSED, REFUSED, REFUSED],
  part: [0.5, REFUSED, REFUSED, REFUSED, REFUSED],
  late: [undefined, undefined, undefined, undefined, undefined],
};
const SAMPLE: SampleWorkload[] = [
  { workload: 'hackbench', ends: ENDS },
  { workload: 'redis', metric: RATE, ends: ENDS },
];

type Values = readonly Readonly<Record<string, unknown>>[];
const rowsOf = (workloads: readonly SampleWorkload[]) => tableRows(outcomeTable(sampleRun(workloads)));

test('the heatmap turns every metric so that more is better, and says how cells without a ratio ended', (t) => {
  const spec = heatmap(rowsOf(SAMPLE), GIVEN) as unknown as { data: { values: Values } };
  const cells = spec.data.values.map(({ row, policy, gain, text, mark }) => [
    row,
    policy,
    typeof gain === 'number' ? Math.round(gain) : gain,
    text,
    mark,
  ]);
  t.deepEqual(cells, [
    ['hackbench: time \u2193', 'fast', 1, '0.50', '\u25B2'],
    ['hackbench: time \u2193', 'slow', -1, '2.00', '\u25BC'],
    ['hackbench: time \u2193', 'gone', undefined, 'refused', ''],
    ['hackbench: time \u2193', 'part', 1, '0.50*', '\u2717'],
    ['hackbench: time \u2193', 'late', undefined, 'not run', ''],
    ['redis: rate \u2191', 'fast', -1, '0.50', '\u25BC'],
    ['redis: rate \u2191', 'slow', 1, '2.00', '\u25B2'],
    ['redis: rate \u2191', 'gone', undefined, 'refused', ''],
    ['redis: rate \u2191', 'part', -1, '0.50*', '\u2717'],
    ['redis: rate \u2191', 'late', undefined, 'not run', ''],
  ]);
  t.is(heatmap(rowsOf([{ workload: 'hackbench', ends: { eevdf: [1, 2] } }]), GIVEN), undefined);
});

test('rows of one workload are told apart by the parameters that differ', (t) => {
  const rows = rowsOf(
    [1, 2].map((n) => ({ workload: 'hackbench', variant: `pipe=1,groups=${n}`, ends: ENDS })),
  );
  const spec = heatmap(rows, GIVEN) as unknown as { data: { values: Values } };
  t.deepEqual(
    [...new Set(spec.data.values.map(({ row }) => row))],
    ['hackbench groups=1: time \u2193', 'hackbench groups=2: time \u2193'],
  );
});

test('a matrix is printed on pages of whole workloads, none left out', (t) => {
  const policies = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [at === 0 ? 'eevdf' : `p${at}`, [1]]),
  );
  const rows = rowsOf(Array.from({ length: 27 }, (_, at) => ({ workload: `w${at}`, ends: policies })));
  const pages = forestPages(rows);
  t.true(pages.length > 3);
  t.deepEqual(pages.flat(), rows);
  for (const page of pages) t.is(page.length % 20, 0);
  t.is((forestPlot(pages[0] as (typeof pages)[0], GIVEN) as unknown as { columns: number }).columns, 2);
});

test('what counts as equivalent is drawn behind the ratios', (t) => {
  const rows = tableRows(outcomeTable({ ...sampleRun(SAMPLE), margin: 1.25 }));
  const text = JSON.stringify(forestPlot(rows, GIVEN));
  t.true(text.includes('"from":0.8,"to":1.25'));
  t.true(text.includes('Grey band: what counts as equivalent'));
});

test('more policies than can be told apart are split into even parts, the baseline in each', (t) => {
  const names = ['eevdf', 'eevdf (A/A)', ...Array.from({ length: 7 }, (_, at) => `p${at}`)];
  const parts = policyParts(names, {
    run: 'sample',
    baseline: 'eevdf',
    policies: ['eevdf', ...names.slice(2)],
  });
  t.deepEqual(
    parts.map(({ policies }) => policies),
    [
      ['eevdf', 'eevdf (A/A)', 'p0', 'p1', 'p2', 'p3'],
      ['eevdf', 'eevdf (A/A)', 'p4', 'p5', 'p6'],
    ],
  );
  for (const { looks } of parts) t.is(new Set(looks.map(({ color }) => color)).size, looks.length);
});

test('a distribution has a panel for its body and one for its tail', (t) => {
  const histogram = histogramOf(Array.from({ length: 100 }, (_, at) => [at + 1, 1] as const));
  const records = sampleRun(SAMPLE).records.map((record) =>
    record.state === 'completed'
      ? { ...record, metrics: record.metrics.map((metric) => ({ ...metric, histogram })) }
      : record,
  );
  const spec = latencyEcdf(distributionRows(records), GIVEN) as unknown as {
    vconcat: { hconcat: { layer: { data: { values: Values } }[] }[] }[];
  };
  t.is(spec.vconcat.length, 2);
  const [below, above] = (spec.vconcat[0]?.hconcat ?? []).map(({ layer }) => layer[1]?.data.values ?? []);
  t.is(below?.at(-1)?.share, 1);
  t.true((above ?? []).every(({ share }) => Number(share) > 0));
  t.is(latencyEcdf([], GIVEN), undefined);
});

test('the timeline names the state of every trial that did not complete', (t) => {
  const spec = trialTimeline(timelineRows(sampleRun(SAMPLE).records), GIVEN) as unknown as {
    title: { subtitle: string[] };
  };
  t.is(spec.title.subtitle[0], 'n = 50 trials, 50 at once at most. 32 completed, 18 refused (R).');
  t.is(trialTimeline([], GIVEN), undefined);
});

test('one step is no curve', (t) => {
  const row = {
    ...{
      workload: 'w',
      variant: '',
      point: 'quiescent',
      engine: 'mock',
      policy: 'eevdf',
      sweep: 'n',
      step: 1,
    },
    ...{ metric: 'time', unit: 's', direction: 'lower', median: 1, least: 1, most: 1, n: 1 },
  };
  t.is(scalingCurves([row], GIVEN), undefined);
  t.true(JSON.stringify(scalingCurves([row, { ...row, step: 2 }], GIVEN)).includes('"title":"n"'));
});

test('trade-offs show the front of each workload with two objectives, and names that do not lie on each other', (t) => {
  const metric = { unit: 's', direction: 'lower' } as const;
  const input = sampleRun([
    { workload: 'hackbench', ends: { eevdf: [1, 1], fast: [0.5, 0.5], slow: [2, 2] } },
  ]);
  const tails: Readonly<Record<string, number>> = { eevdf: 1, fast: 3, slow: 4 };
  const records = input.records.map((record) =>
    record.state === 'completed'
      ? {
          ...record,
          metrics: [
            ...record.metrics,
            { ...metric, name: 'wait_p99', primary: false, value: tails[record.policy] ?? 1 },
          ],
        }
      : record,
  );
  const rows = objectiveRows({ ...input, records });
  const spec = paretoPlot(rows, GIVEN) as unknown as { concat: { data: { values: Values } }[] };
  const rounded = (value: unknown) => Math.round(Number(value) * 1e9) / 1e9;
  t.deepEqual(
    spec.concat[0]?.data.values.map(({ policy, look, x, y }) => [policy, look, rounded(x), rounded(y)]),
    [
      ['eevdf', 'on the front', 1, 1],
      ['fast', 'on the front', 0.5, 3],
      ['slow', 'dominated', 2, 4],
    ],
  );
  t.is(paretoPages(rows).length, 1);
  t.deepEqual(paretoPages(objectiveRows(input)), []);
  t.is(paretoPlot(objectiveRows(input), GIVEN), undefined);
  const close = [1, 1.001, 1.002].map((y, at) => ({ policy: `p${at}`, x: 1, y }));
  const placed = placeLabels(close, { x: [0.8, 1.25], y: [0.8, 1.25] }, { width: 250, height: 190 });
  t.is(new Set(placed.map(({ dy }) => dy)).size, 3);
});

test('distributions of many workloads go on several pages', (t) => {
  const row = {
    ...{
      workload: 'w',
      variant: 'default',
      point: 'quiescent',
      engine: 'mock',
      policy: 'eevdf',
      role: 'measure' as const,
    },
    ...{ metric: 'wait_p99', unit: 'us', trials: 1, count: 1, steps: [] },
  };
  const rows = Array.from({ length: 9 }, (_, at): DistributionRow => ({ ...row, workload: `w${at}` }));
  const pages = ecdfPages(rows, GIVEN);
  t.deepEqual(
    pages.map((page) => page.length),
    [4, 4, 1],
  );
  t.deepEqual(pages.flat(), rows);
});
