// SPDX-License-Identifier: Apache-2.0
// How noisy the cells of committed runs are: the standard deviation of log ratios to the baseline over a cell's blocks.
//
//     node analysis/simulation/paired-noise.ts [folder]
//
// prints quartiles over all cells of at least three blocks, of the primary metric of each workload, in every trials.jsonl below
// results/reference but those of replays, whose trials are phases of a scenario.
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TrialRecord } from '../../harness/core/trial.ts';
import { varianceOf } from '../stats/moments.ts';
import { quantile } from '../stats/quantile.ts';

const [folder = resolve(import.meta.dirname, '../../results/reference')] = process.argv.slice(2);
const spreads = globSync('**/trials.jsonl', { cwd: folder })
  .filter((path) => !path.startsWith('replay'))
  .sort()
  .flatMap((path) => spreadsOf(readFileSync(join(folder, path), 'utf8')))
  .sort((a, b) => a - b);
const shown = [0.25, 0.5, 0.75].map((share) => quantile(Float64Array.from(spreads), share).toFixed(4));
console.log(`${spreads.length} cells; quartiles of the paired standard deviation: ${shown.join(', ')}`);

function spreadsOf(lines: string): number[] {
  const values = new Map<string, Map<number, number>>();
  for (const line of lines.trimEnd().split('\n')) {
    const record = JSON.parse(line) as TrialRecord;
    if (record.state !== 'completed' || record.role !== 'measure') continue;
    const { workload, variant, point, engine, policy, block } = record;
    const value = record.metrics.find(({ primary }) => primary)?.value ?? 0;
    const key = JSON.stringify([workload, variant, point ?? 'quiescent', engine, policy]);
    if (value > 0) values.set(key, (values.get(key) ?? new Map()).set(block, Math.log(value)));
  }
  return [...values].flatMap(([key, cell]) => {
    const place = JSON.parse(key) as string[];
    const baseline = values.get(JSON.stringify([...place.slice(0, 4), 'eevdf']));
    if (place[4] === 'eevdf' || baseline === undefined) return [];
    const logs = [...cell].flatMap(([block, log]) => {
      const other = baseline.get(block);
      return other === undefined ? [] : [log - other];
    });
    return logs.length < 3 ? [] : [Math.sqrt(varianceOf(logs))];
  });
}
