// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { LabelledVector } from '../../analysis/features/separation.ts';
import { similarityRows } from '../../analysis/features/similarity-rows.ts';
import { arcOfWorkloads, sampleExample, unitOf } from '../../analysis/policy-map/choose/sample-examples.ts';
import { pickRows } from '../../analysis/policy-map/evaluate/pick-rows.ts';
import { renderFigure } from '../render.ts';
import { recommendationPlot } from './recommendations.ts';
import { similarityPlot } from './similarity.ts';

function vector(workload: string, configuration: string, ...values: number[]): LabelledVector {
  return { workload, configuration, values };
}

const VECTORS = [
  vector('b', '4', 0, 1),
  vector('a', '4', 1, 0),
  vector('a', '2', 0.8, 0.6),
  // Another seed of a configuration says nothing about scale.
  vector('a', '2', 0.8, 0.6),
];

test('pairs of one workload are those of two configurations, and every other workload is in the bars', (t) => {
  const { own, others } = similarityRows(VECTORS);
  t.deepEqual(own, [
    { workload: 'a', pair: '4 / 2', cosine: 0.8 },
    { workload: 'a', pair: '4 / 2', cosine: 0.8 },
  ]);
  t.deepEqual(
    others.map(({ workload, pairs, median }) => [workload, pairs, median]),
    [
      ['a', 3, 0.6],
      ['b', 3, 0.6],
    ],
  );
});

test('similarity is drawn when there is something to compare, with its n', async (t) => {
  t.is(similarityPlot(similarityRows(VECTORS.slice(1)), 'run'), undefined, 'one workload');
  t.is(similarityPlot(similarityRows(VECTORS.slice(0, 2)), 'run'), undefined, 'one configuration each');
  const spec = similarityPlot(similarityRows(VECTORS), 'run');
  if (spec === undefined) return t.fail();
  t.regex(JSON.stringify(spec.title), /n = 2\).*n = 3\)/);
  t.true((await renderFigure(spec)).svg.includes('cosine of two vectors'));
});

test('picks stand beside the best single policy and the best of all, and none beats the latter', (t) => {
  const rows = pickRows(arcOfWorkloads(12));
  t.is(rows.length, 36);
  for (const own of Map.groupBy(rows, ({ workload }) => workload).values()) {
    const of = (picker: string) => own.find((row) => row.picker === picker)?.ratio as number;
    t.true(of('best of all') <= of('the map'));
    t.true(of('best of all') <= of('best single policy'));
  }
  t.true(rows.some(({ picker, policy }) => picker === 'the map' && policy !== 'eevdf'));
});

test('recommendations are drawn with how many there are; parameters only where a workload has several', (t) => {
  t.is(recommendationPlot([], 'run'), undefined);
  const examples = arcOfWorkloads(6);
  const again = { ...sampleExample('w0', unitOf(1, 0), { left: -0.3 }), variant: 'size=2' };
  const spec = recommendationPlot(pickRows([...examples, again]), 'run');
  const text = JSON.stringify(spec);
  t.regex(text, /n = 7\)/);
  t.true(text.includes('"situation":"w0 size=2"'));
  t.true(text.includes('"situation":"w1"'));
});
