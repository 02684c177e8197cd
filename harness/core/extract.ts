// SPDX-License-Identifier: Apache-2.0

import { boundedText, LONGEST_TEXT } from './guest-text.ts';
import { countOf, rankOf } from './histogram.ts';
import { type Metric, percentileNamed } from './metric.ts';
import { nearestLine } from './nearest-line.ts';
import { type ReadHistogram, readHistogram } from './read-histogram.ts';
import type { WorkloadDefinition } from './workload.ts';

/** All metrics of a run, or one line that says why there are none. There is no such thing as some of them. */
export type Extraction =
  | { readonly ok: true; readonly metrics: readonly Metric[] }
  | { readonly ok: false; readonly reason: string };

type MetricDefinition = WorkloadDefinition['metrics'][string];

// Number() would also take '', '0x10' and ' 1 '.
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Reads a workload's output, which may come from a guest that lies. Each metric must appear exactly once, as a finite number that is not negative. */
export function extractMetrics(definition: WorkloadDefinition, whole: string): Extraction {
  // Figures in the end of a text may stand in its beginning, too.
  if (whole.length > LONGEST_TEXT) {
    return {
      ok: false,
      reason: `the output has ${whole.length} characters; at most ${LONGEST_TEXT} are read`,
    };
  }
  const output = boundedText(whole);
  const metrics: Metric[] = [];
  const unread: string[] = [];
  let reason = '';
  for (const [name, metric] of Object.entries(definition.metrics)) {
    const read = readMetric(name, metric, output);
    if (typeof read !== 'string') metrics.push(read);
    else if (reason === '') reason = read;
    else unread.push(name);
  }
  if (reason === '') return { ok: true, metrics };
  return { ok: false, reason: unread.length === 0 ? reason : `${reason}; also unread: ${unread.join(', ')}` };
}

function readMetric(name: string, definition: MetricDefinition, output: string): Metric | string {
  // A last line without its newline was cut off, and "0.2" may be the beginning of "0.237".
  const complete = output.slice(0, output.lastIndexOf('\n') + 1);
  const matches = [...complete.matchAll(new RegExp(definition.pattern, 'gm'))];
  const [match] = matches;
  if (match === undefined) {
    const near = nearestLine(definition.pattern, output);
    return near === undefined
      ? `metric ${name} is missing: the output is empty`
      : `metric ${name} is missing; nearest line: ${near}`;
  }
  const line = quoted(match[0]);
  if (matches.length > 1) return `metric ${name} appears ${matches.length} times, first in ${line}`;
  const digits = match[1] ?? '';
  const value = DECIMAL.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isFinite(value)) return `metric ${name} is not a finite number in ${line}`;
  if (value < 0) return `metric ${name} is negative in ${line}`;
  const { unit, direction, primary } = definition;
  const metric = { name, unit, direction, primary, value };
  if (definition.histogram === undefined) return metric;
  const read = readHistogram(definition.histogram, complete);
  if (typeof read === 'string') return `metric ${name} has no histogram: ${read}`;
  return censored(name, unit, read) ?? { ...metric, histogram: read.histogram };
}

/** Why a percentile is none: the value of its rank is not known, whatever the program printed in its place. */
function censored(name: string, unit: string, { histogram, bound }: ReadHistogram): string | undefined {
  const percentile = percentileNamed(name);
  const { beyond = 0 } = histogram;
  if (percentile === undefined || beyond === 0) return undefined;
  const count = countOf(histogram);
  const rank = rankOf(percentile, count);
  if (rank <= count - beyond) return undefined;
  const where =
    bound === undefined
      ? `among the ${beyond} whose value is not known`
      : `in the overflow bucket, which holds ${beyond} values of ${bound} ${unit} or more`;
  return `metric ${name} is censored: rank ${rank} of ${count} lies ${where}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.trim().slice(0, 100));
}
