// SPDX-License-Identifier: Apache-2.0
import { mock } from 'node:test';
import test from 'ava';
import { outcomeTable } from '../analysis/tables/outcome-table.ts';
import { sampleRun } from '../analysis/tables/sample-run.ts';
import { tableRows } from '../analysis/tables/table-rows.ts';
import { heatmap } from './figures/heatmap.ts';
import { sheet } from './figures/style.ts';
import { drawPdf } from './pdf.ts';
import { compileFigure, drawPng, drawSvg } from './render.ts';
import { dejaVuWidth } from './text-width.ts';

function sample() {
  const input = sampleRun([{ workload: 'hackbench', ends: { eevdf: [1, 2], scx_simple: [0.5, 1.5] } }]);
  const spec = heatmap(tableRows(outcomeTable(input)), { run: 'sample', baseline: 'eevdf' });
  return spec as NonNullable<typeof spec>;
}

test.serial('equal specs give equal bytes as SVG, PNG and PDF, whatever the time', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 1) });
  t.teardown(() => mock.timers.reset());
  const svg = await drawSvg(sample());
  const [png, pdf] = [await drawPng(svg), await drawPdf(svg, 'heatmap')];
  mock.timers.setTime(Date.UTC(2031, 5, 7));
  t.is(await drawSvg(sample()), svg);
  t.true(png.equals(await drawPng(svg)));
  t.true(pdf.equals(await drawPdf(svg, 'heatmap')));
});

test('a PDF is one page of the size of the figure, with its fonts and the first of all dates', async (t) => {
  const svg = await drawSvg(sample());
  const text = (await drawPdf(svg, 'heatmap')).toString('latin1');
  const [, width] = /width="(\d+)"/.exec(svg) ?? [];
  t.regex(text, /^%PDF-/);
  t.true(text.includes(`/MediaBox [0 0 ${Number(width) * 0.75} `), width);
  t.regex(text, /DejaVuSans/);
  t.regex(text, /\(D:19700101000000Z\)/);
  t.is(text.match(/\/Type \/Page\b/g)?.length, 1);
});

test('a spec of which the compiler would drop a part is refused', async (t) => {
  const spec = sheet('t', [], {
    mark: 'bar',
    encoding: { x: { field: 'a', type: 'quantitative' }, shape: { field: 'b', type: 'nominal' } },
    data: { values: [] },
  });
  await t.throwsAsync(compileFigure(spec), { message: /not clean/ });
});

test("widths are the font's own", async (t) => {
  const width = await dejaVuWidth();
  t.true(width({ fontSize: 10 }, 'i') < width({ fontSize: 10 }, 'm'));
  t.true(width({ fontSize: 10, fontWeight: 'bold' }, 'm') > width({ fontSize: 10 }, 'm'));
  t.is(width({ fontSize: 10, limit: 5 }, 'a long text'), 5);
  // 1303 of 2048 units: DejaVu Sans 2.37, glyph `0`.
  t.is(Math.round(width({ fontSize: 2048 }, '0')), 1303);
});
