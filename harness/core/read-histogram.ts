// SPDX-License-Identifier: Apache-2.0
import { histogramOf } from './histogram.ts';
import type { Histogram } from './metric.ts';
import type { WorkloadDefinition } from './workload.ts';

type HistogramDefinition = NonNullable<WorkloadDefinition['metrics'][string]['histogram']>;

/** What the guest's agent writes in place of the middle of a long output. */
const LEFT_OUT = /^\[pmvx: \d+ bytes left out\]$/m;

/** Reads the distribution that a program printed; a string says why there is none. */
export function readHistogram(definition: HistogramDefinition, output: string): Histogram | string {
  const text = definition.within === undefined ? output : between(definition.within, output);
  if (text === undefined)
    return `no part between /${definition.within?.from}/ and /${definition.within?.to}/`;
  if (LEFT_OUT.test(text)) return 'the output was too long to be kept whole';
  const pairs: [number, number][] = [];
  let before = 0;
  for (const match of text.matchAll(new RegExp(definition.pattern, 'gm'))) {
    const value = numberOf(match.groups?.value) * definition.scale;
    const count = numberOf(match.groups?.count);
    const line = JSON.stringify(match[0].trim().slice(0, 100));
    if (!(value >= 0) || !Number.isInteger(count) || count < 0) return `not a value and a count: ${line}`;
    if (definition.cumulative && count < before) return `a cumulative count that falls: ${line}`;
    pairs.push([value, definition.cumulative ? count - before : count]);
    before = count;
  }
  const histogram = histogramOf(pairs);
  return histogram.buckets.length === 0 ? `no line with a count matches /${definition.pattern}/` : histogram;
}

/** What stands after the first line that matches `from`, up to the next that matches `to`. */
function between(within: { readonly from: string; readonly to: string }, output: string): string | undefined {
  const from = new RegExp(within.from, 'm').exec(output);
  if (from === null) return undefined;
  const rest = output.slice(from.index + from[0].length);
  const to = new RegExp(within.to, 'm').exec(rest);
  return to === null ? undefined : rest.slice(0, to.index);
}

/** Number() alone would take an empty text for 0. */
function numberOf(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text);
}
