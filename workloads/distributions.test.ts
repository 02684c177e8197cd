// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { extractMetrics } from '../harness/core/extract.ts';
import { boundsOf, bucketOf, percentileOf } from '../harness/core/histogram.ts';
import { loadCatalog } from '../harness/core/load-catalog.ts';
import type { Histogram } from '../harness/core/metric.ts';

const ROOT = join(import.meta.dirname, '..');
const catalog = await loadCatalog(ROOT);

/**
 * Between what the `p`-th percentile of a program's values must lie, if these are their distribution: in its bucket or the next one to either
 * side that has a count. Programs differ in how they round ranks, and some print few buckets, each by its upper end.
 */
function around({ buckets }: Histogram, p: number, percentile: number): readonly [from: number, to: number] {
  const at = buckets.findIndex(([bucket]) => bucket === bucketOf(percentile));
  const [before, after] = [buckets[Math.max(0, at - 1)], buckets[Math.min(buckets.length - 1, at + 1)]];
  if (at < 0 || before === undefined || after === undefined) throw new Error(`p${p} is in no bucket`);
  return [boundsOf(before[0])[0], boundsOf(after[0])[1]];
}

for (const { id, definition } of catalog.workloads.values()) {
  const [ranks = ''] = Object.keys(definition.metrics).filter((name) => definition.metrics[name]?.primary);
  if (definition.ends === 'time' && /latency|wakeup|p9/.test(ranks)) {
    test(`${id}: the tail of latencies that ranks policies comes with its distribution`, (t) => {
      t.truthy(definition.metrics[ranks]?.histogram, `${ranks} has no histogram`);
    });
  }

  if (Object.values(definition.metrics).every(({ histogram }) => histogram === undefined)) continue;
  test(`${id}: the percentiles that the program prints are those of its distributions`, (t) => {
    let checked = 0;
    for (const path of globSync(`workloads/${id}/samples/*.txt`, { cwd: ROOT })) {
      const read = extractMetrics(definition, readFileSync(join(ROOT, path), 'utf8'));
      for (const { name, value, histogram } of read.ok ? read.metrics : []) {
        const [, digits] = /_p(\d{2,3})$/.exec(name) ?? [];
        if (histogram === undefined || digits === undefined) continue;
        const p = Number(digits) / 10 ** (digits.length - 2);
        const percentile = percentileOf(histogram, p);
        if (percentile === undefined) return t.fail(`${name} has an empty distribution`);
        const [from, to] = around(histogram, p, percentile);
        t.true(value >= from && value < to, `${path}: ${name} ${value} is not in ${from} to ${to}`);
        checked++;
      }
    }
    t.true(checked > 0, 'no sample has a percentile beside its distribution');
  });
}
