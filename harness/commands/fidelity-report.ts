// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type Agreement, agreements } from '../../analysis/fidelity/agreement.ts';
import { type EngineCost, engineCosts } from '../../analysis/fidelity/cost.ts';
import type { EngineRun } from '../../analysis/fidelity/engine-run.ts';
import { formatFidelity } from '../../analysis/fidelity/fidelity-markdown.ts';
import { FIDELITY_COLUMNS, fidelityRows } from '../../analysis/fidelity/fidelity-rows.ts';
import { ratioFigure, scalingFigure } from '../../paper-figs/figures/fidelity.ts';
import { renderFigure } from '../../paper-figs/render.ts';
import { formatCsv } from '../core/csv.ts';
import type { Spec } from '../core/spec.ts';
import type { EngineStatus } from '../lab/engine.ts';
import { stableJson, writeAtomic } from '../store/atomic-write.ts';

/** Compares the runs of an experiment; writes tables and figures into its folder. Equal records give equal bytes. */
export async function writeFidelity(
  spec: Spec,
  engines: readonly EngineStatus[],
  runs: readonly EngineRun[],
  folder: string,
): Promise<{ readonly lines: readonly string[]; readonly files: readonly string[] }> {
  const rows = fidelityRows(spec, runs);
  const costs = engineCosts(runs);
  const agreed = agreements(spec, runs);
  const facts = { name: spec.name, baseline: spec.baseline, blocks: spec.seeds.count, engines };
  const report = { ...facts, vcpus: spec.machine.vcpus, costs, agreements: agreed, rows };
  const cells = rows.map((row) => FIDELITY_COLUMNS.map((column) => row[column]));
  const files: [name: string, data: string | Uint8Array][] = [
    ['fidelity.csv', formatCsv(FIDELITY_COLUMNS, cells)],
    ['fidelity.md', formatFidelity(report)],
  ];
  const figures = { scaling: scalingFigure(rows, facts), ratios: ratioFigure(rows, facts) };
  for (const [name, figure] of Object.entries(figures)) {
    if (figure === undefined) continue;
    const { svg, png } = await renderFigure(figure);
    files.push([`fidelity-${name}.vl.json`, stableJson(figure)]);
    files.push([`fidelity-${name}.svg`, svg], [`fidelity-${name}.png`, png]);
  }
  for (const [name, data] of files) await writeAtomic(join(folder, name), data);
  return {
    lines: [...costs.map(costLine), ...agreed.map(agreementLine)],
    files: files.map(([name]) => name),
  };
}

function costLine({ engine, completed, recorded, medianSeconds }: EngineCost): string {
  const seconds =
    medianSeconds === undefined ? '' : `, ${medianSeconds.toFixed(1)} s of host time each (median)`;
  return `${engine}: ${completed} of ${recorded} trials completed${seconds}`;
}

function agreementLine({ kind, engines, items, tau, interval }: Agreement): string {
  const order = `order of ${kind === 'policies' ? 'policies' : 'scaling steps'}, ${engines.join(' and ')}`;
  if (tau === undefined) return `${order}: ${items} things in common, which have no order`;
  const range = interval === undefined ? '' : ` (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`;
  return `${order}: Kendall's tau-b ${tau.toFixed(2)}${range} over ${items} things`;
}
