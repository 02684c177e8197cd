// SPDX-License-Identifier: Apache-2.0
import { countOf, histogramOf } from './histogram.ts';
import type { Histogram } from './metric.ts';
import type { WorkloadDefinition } from './workload.ts';

type HistogramDefinition = NonNullable<WorkloadDefinition['metrics'][string]['histogram']>;

/** What the guest's agent writes in place of the middle of a long output. */
const LEFT_OUT = /^\[pmvx: \d+ bytes left out\]$/m;

/** A distribution, and from where on its values are not known, as the program says it. */
export interface ReadHistogram {
  readonly histogram: Histogram;
  readonly bound?: string;
}

/** Reads the distribution that a program printed; a string says why there is none. */
export function readHistogram(definition: HistogramDefinition, output: string): ReadHistogram | string {
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
  const unknown = definition.beyond === undefined ? { count: 0 } : readBeyond(definition.beyond, text);
  const histogram = histogramOf(pairs, typeof unknown === 'string' ? 0 : unknown.count);
  if (countOf(histogram) === 0) return `no line with a count matches /${definition.pattern}/`;
  if (typeof unknown === 'string') return unknown;
  return unknown.bound === undefined ? { histogram } : { histogram, bound: unknown.bound };
}

/** How many values the program did not tell. */
function readBeyond(pattern: string, text: string): { count: number; bound?: string } | string {
  const [match, second] = [...text.matchAll(new RegExp(pattern, 'gm'))];
  if (match === undefined) return `no line matches /${pattern}/, which counts the values that are not told`;
  if (second !== undefined) return `more than one line matches /${pattern}/`;
  const count = numberOf(match.groups?.count);
  const line = JSON.stringify(match[0].trim().slice(0, 100));
  if (!Number.isInteger(count) || count < 0) return `not a count: ${line}`;
  const bound = match.groups?.bound;
  return bound === undefined ? { count } : { count, bound };
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
