// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { sampleRun } from '../analysis/tables/sample-run.ts';
import { readRun } from '../harness/store/run-folder.ts';
import { sampleDescription } from '../harness/store/sample-records.ts';
import { drawPdf } from './pdf.ts';
import { drawPng, drawSvg } from './render.ts';
import { reportHtml } from './report/report.ts';
import { aboutOne } from './report/report-input.ts';
import { FIGURE_IDS, runFigures, tableOf } from './run-figures.ts';

const REFERENCE = join(import.meta.dirname, '..', 'results', 'reference');

/**
 * Every figure of committed runs and of a matrix of 27 workloads under 20 policies, from records to SVG, PNG and PDF, and the report.
 * Modules are loaded before: what is timed is what a figure costs after start-up.
 */
export async function figureBench(): Promise<Bench> {
  // Tenths of a second each: few rounds tell the median.
  const bench = new Bench({ time: 100, iterations: 8, warmupTime: 100, warmupIterations: 2 });
  const own = await readRun(await newest('own-schedulers-'));
  const swept = await readRun(join(await newest('fidelity-'), 'exact'));
  for (const id of FIGURE_IDS) {
    const run = id === 'scaling' ? swept : own;
    bench.add(`figure: ${id}, ${run.records.length} trials, SVG, PNG and PDF`, () =>
      draw(runFigures({ table: tableOf(run) }, [id])),
    );
  }
  const matrix = matrixRun();
  for (const id of ['forest', 'heatmap'] as const) {
    bench.add(`figure: ${id}, 27 workloads x 20 policies, SVG, PNG and PDF`, async () => {
      // One page: forest plots of a matrix have several.
      await draw(runFigures({ table: tableOf(matrix) }, [id]).slice(0, 1));
    });
  }
  bench.add(`report: ${own.records.length} trials`, async () => {
    await reportHtml(aboutOne({ ...own, folder: 'bench' }));
  });
  return bench;
}

async function draw(figures: ReturnType<typeof runFigures>): Promise<void> {
  for (const figure of figures) {
    if ('why' in figure) throw new Error(`${figure.id}: ${figure.why}`);
    const svg = await drawSvg(figure.spec);
    await drawPng(svg);
    await drawPdf(svg, figure.name);
  }
}

function matrixRun() {
  const policies = Array.from({ length: 20 }, (_, at) => (at === 0 ? 'eevdf' : `policy-${at}`));
  const input = sampleRun(
    Array.from({ length: 27 }, (_, workload) => ({
      workload: `workload-${workload}`,
      ends: Object.fromEntries(
        policies.map((policy, at) => [
          policy,
          [1, 2, 3].map((block) => 1 + ((at * 7 + workload * 3 + block) % 10) / 5),
        ]),
      ),
    })),
  );
  const described = sampleDescription(input.records);
  return {
    ...described,
    spec: { ...described.spec, ...input.spec },
    plan: { trials: input.planned },
    records: input.records,
  };
}

async function newest(prefix: string): Promise<string> {
  const names = (await readdir(REFERENCE)).filter((name) => name.startsWith(prefix)).sort();
  return join(REFERENCE, names.at(-1) ?? `${prefix}is-absent`);
}
