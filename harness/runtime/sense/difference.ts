// SPDX-License-Identifier: Apache-2.0
import type { ProbeTotals, ProbeValues } from '../../core/probe-counters.ts';

/**
 * What one set counted between two readings. A counter that either reading lacks is absent; so is one that went down, which no counter
 * does: the probes were attached anew in between.
 */
export function differenceOf(before: ProbeTotals, after: ProbeTotals): ProbeTotals {
  const counters: Record<string, number | readonly number[]> = {};
  for (const [name, value] of Object.entries(after.counters)) {
    const earlier = before.counters[name];
    const grown = earlier === undefined ? undefined : growth(earlier, value);
    if (grown !== undefined) counters[name] = grown;
  }
  return { ns: after.ns - before.ns, missed: after.missed - before.missed, counters };
}

function growth(
  before: number | readonly number[],
  after: number | readonly number[],
): ProbeValues[string] | undefined {
  if (typeof before === 'number' || typeof after === 'number') {
    if (typeof before !== 'number' || typeof after !== 'number') return undefined;
    return after >= before ? after - before : undefined;
  }
  const grown = after.map((value, at) => value - (before[at] ?? Number.NaN));
  return grown.every((value) => value >= 0) ? grown : undefined;
}
