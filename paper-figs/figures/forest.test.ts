// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { outcomeTable } from '../../analysis/tables/outcome-table.ts';
import type { SampleWorkload } from '../../analysis/tables/sample-run.ts';
import { sampleRun } from '../../analysis/tables/sample-run.ts';
import { tableRows } from '../../analysis/tables/table-rows.ts';
import { renderFigure } from '../render.ts';
import { forestPlot } from './forest.ts';

const REFUSED = { state: 'refused', reason: 'verifier' } as const;
const GIVEN = { run: 'sample', baseline: 'eevdf' };

function specOf(...workloads: SampleWorkload[]) {
  return forestPlot(tableRows(outcomeTable(sampleRun(workloads))), GIVEN);
}

interface Panel {
  readonly title: { readonly text: string };
  readonly data: { readonly values: readonly Readonly<Record<string, unknown>>[] };
}

function panels(spec: ReturnType<typeof specOf>): readonly Panel[] {
  return (spec as unknown as { concat: readonly Panel[] }).concat;
}

const HACKBENCH: SampleWorkload = {
  workload: 'hackbench',
  variant: 'transport=pipe',
  ends: {
    eevdf: [0.25, 0.5],
    aa: [0.5, 0.25],
    scx_simple: [0.125, 0.25],
    scx_pair: [0.125, REFUSED],
    scx_qmap: [REFUSED, REFUSED],
  },
};

test('every policy has its mark, and one without a ratio says why in words', (t) => {
  const [panel] = panels(specOf(HACKBENCH));
  t.is(panel?.title.text, 'hackbench on mock: time (s, lower is better)');
  const values = panel?.data.values.map(({ policy, numbers, look, words }) => [policy, numbers, look, words]);
  t.deepEqual(values, [
    ['eevdf (A/A)', '1.000 (1.50e-4 to 6.68e+3), n = 2', 'too few blocks', undefined],
    ['scx_simple', '0.500 (0.500 to 0.500), n = 2', 'too few blocks', undefined],
    ['scx_pair', '0.500, n = 1, 1 refused', 'fails', undefined],
    ['scx_qmap', 'n = 0', undefined, 'no ratio: 2 refused'],
  ]);
});

test('points of one workload are panels of their own', (t) => {
  const titles = panels(specOf(HACKBENCH, { ...HACKBENCH, point: '2s' })).map(({ title }) => title.text);
  t.deepEqual(titles, [
    'hackbench at quiescent on mock: time (s, lower is better)',
    'hackbench at 2s on mock: time (s, lower is better)',
  ]);
});

test('equal rows give equal specs and equal bytes', async (t) => {
  const spec = specOf(HACKBENCH);
  t.is(JSON.stringify(specOf(HACKBENCH)), JSON.stringify(spec));
  const [one, other] = [await renderFigure(spec), await renderFigure(specOf(HACKBENCH))];
  t.is(one.svg, other.svg);
  t.deepEqual(one.png, other.png);
  t.deepEqual([...one.png.subarray(1, 4)], [...Buffer.from('PNG')]);
  t.true(one.svg.includes('>0.500, n = 1, 1 refused</text>'));
  const fonts = new Set([...one.svg.matchAll(/font-family="([^"]*)"/g)].map((match) => match[1]));
  t.deepEqual([...fonts], ['DejaVu Sans']);
});

test('a run of failures only, and one without any policy to compare, still give a figure', async (t) => {
  const failures = specOf({ workload: 'hackbench', ends: { eevdf: [REFUSED], scx_qmap: [REFUSED] } });
  t.true((await renderFigure(failures)).svg.includes('>no ratio: 1 refused</text>'));
  const alone = specOf({ workload: 'hackbench', ends: { eevdf: [1, 2] } });
  t.true((await renderFigure(alone)).svg.includes('>no policy besides eevdf in this run</text>'));
});
