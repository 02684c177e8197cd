// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { fidelityRows } from '../../analysis/fidelity/fidelity-rows.ts';
import { sampleFidelity } from '../../analysis/fidelity/sample-fidelity.ts';
import { renderFigure } from '../render.ts';
import { ratioFigure, scalingFigure } from './fidelity.ts';

const GIVEN = {
  ...{ name: 'sample', baseline: 'eevdf', blocks: 2 },
  engines: [
    { engine: 'exact', works: true, why: 'booted' },
    { engine: 'tcg', works: true, why: 'booted' },
    { engine: 'kvm', works: false, why: 'there is no /dev/kvm' },
    { engine: 'native', works: true, why: 'ran' },
  ],
};

function rows() {
  const { spec, runs } = sampleFidelity();
  return fidelityRows(spec, runs);
}

interface Panels {
  readonly vconcat: readonly { readonly hconcat: readonly Readonly<Record<string, unknown>>[] }[];
}

test('a sweep has a panel for each engine, and one that does not work is empty and says why', async (t) => {
  const figure = scalingFigure(rows(), GIVEN);
  const [row] = (figure as unknown as Panels).vconcat;
  t.is(row?.hconcat.length, 4);
  t.deepEqual(row?.hconcat[3]?.data, {
    values: [
      { policy: 'eevdf', step: 1, scaled: 1 },
      { policy: 'eevdf', step: 2, scaled: 2 },
    ],
  });
  const { svg } = await renderFigure(figure as NonNullable<typeof figure>);
  t.true(svg.includes('empty: there is no /dev/kvm'));
  t.true(svg.includes('n = 2'));
});

test('ratios of each engine stand against those of the first, policy by policy', async (t) => {
  const figure = ratioFigure(rows(), GIVEN);
  const [row] = (figure as unknown as Panels).vconcat;
  t.is(row?.hconcat.length, 3);
  const layers = row?.hconcat[0]?.layer as { data: { values: { policy?: string; x: number }[] } }[];
  t.deepEqual(
    layers.at(-1)?.data.values.map(({ policy, x }) => [policy, Math.round(x * 1e9) / 1e9]),
    [
      ['scx_simple', 2],
      ['scx_central', 4],
      ['scx_simple', 3],
      ['scx_central', 5],
    ],
  );
  const { svg } = await renderFigure(figure as NonNullable<typeof figure>);
  t.true(svg.includes('no policy besides'));
});

test('equal rows give equal figures, and nothing to show gives none', (t) => {
  t.deepEqual(scalingFigure(rows(), GIVEN), scalingFigure(rows(), GIVEN));
  t.is(scalingFigure([], GIVEN), undefined);
  t.is(ratioFigure([], GIVEN), undefined);
  t.is(ratioFigure(rows(), { ...GIVEN, engines: GIVEN.engines.slice(0, 1) }), undefined);
});
