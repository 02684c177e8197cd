// SPDX-License-Identifier: Apache-2.0
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { extractMetrics } from '../core/extract.ts';
import { boundsOf, bucketOf, percentileOf } from '../core/histogram.ts';
import { type Histogram, percentileNamed } from '../core/metric.ts';
import type { Workload, WorkloadDefinition } from '../core/workload.ts';
import { type Check, checked } from './check.ts';

/** A tail that ranks policies comes with its distribution, and percentiles that a sample prints are those of its distribution. */
export async function checkDistributions(root: string, workload: Workload): Promise<Check[]> {
  const { definition } = workload;
  const some = Object.values(definition.metrics).some(({ histogram }) => histogram !== undefined);
  return [
    checked('a tail of latencies that ranks policies comes with its distribution', missing(definition)),
    ...(some ? [await checkPercentiles(root, workload)] : []),
  ];
}

function missing({ metrics, ends }: WorkloadDefinition): string[] {
  return Object.entries(metrics)
    .filter(
      ([name, { primary, histogram }]) =>
        primary && histogram === undefined && /latency|wakeup|p9/.test(name),
    )
    .filter(() => ends === 'time')
    .map(([name]) => `${name} has no histogram`);
}

async function checkPercentiles(root: string, { id, definition }: Workload): Promise<Check> {
  const faults: string[] = [];
  let compared = 0;
  for (const path of globSync(`workloads/${id}/samples/*.txt`, { cwd: root }).sort()) {
    const read = extractMetrics(definition, await readFile(join(root, path), 'utf8'));
    for (const { name, value, histogram } of read.ok ? read.metrics : []) {
      const percentile = percentileNamed(name);
      if (histogram === undefined || percentile === undefined) continue;
      const [from, to] = around(histogram, percentile);
      if (!(value >= from && value < to)) faults.push(`${path}: ${name} ${value} is not in ${from} to ${to}`);
      compared++;
    }
  }
  if (compared === 0) faults.push('no sample has a percentile beside its distribution');
  return checked('the percentiles that the program prints are those of its distributions', faults);
}

/**
 * Between what the `p`-th percentile of a program's values must lie, if these are their distribution: in its bucket or the next one to
 * either side that has a count. Programs differ in how they round ranks, and some print few buckets, each by its upper end.
 */
function around(histogram: Histogram, p: number): readonly [from: number, to: number] {
  const percentile = percentileOf(histogram, p);
  if (percentile === undefined) return [Number.NaN, Number.NaN];
  const { buckets } = histogram;
  const at = buckets.findIndex(([bucket]) => bucket === bucketOf(percentile));
  const [before, after] = [buckets[Math.max(0, at - 1)], buckets[Math.min(buckets.length - 1, at + 1)]];
  if (at < 0 || before === undefined || after === undefined) return [Number.NaN, Number.NaN];
  return [boundsOf(before[0])[0], boundsOf(after[0])[1]];
}
