// SPDX-License-Identifier: Apache-2.0
import type { ProbeTotals, ProbeValues } from './probe-counters.ts';

/** What one set counted in two stretches of time that follow one another. A counter that is absent in either is absent in the sum. */
export function addTotals(a: ProbeTotals, b: ProbeTotals): ProbeTotals {
  const sampled = [a.sampledNs, b.sampledNs];
  return {
    ns: a.ns + b.ns,
    missed: a.missed + b.missed,
    ...(sampled.every((each) => each === undefined)
      ? {}
      : { sampledNs: (a.sampledNs ?? a.ns) + (b.sampledNs ?? b.ns) }),
    counters: addValues(a.counters, b.counters),
  };
}

/**
 * What one set counted between two readings. A counter that either of them lacks, or that went back (a processor that was taken off
 * line counts no more), is absent.
 */
export function totalsBetween(before: ProbeTotals, after: ProbeTotals): ProbeTotals {
  return {
    ns: after.ns - before.ns,
    missed: after.missed - before.missed,
    ...(after.sampledNs === undefined ? {} : { sampledNs: after.sampledNs - (before.sampledNs ?? 0) }),
    counters: valuesBetween(before.counters, after.counters),
  };
}

/** A counter that is absent in either is absent in the sum. */
export function addValues(a: ProbeValues, b: ProbeValues): ProbeValues {
  const both: Record<string, number | readonly number[]> = {};
  for (const [name, value] of Object.entries(a)) {
    const other = b[name];
    if (typeof value === 'number' && typeof other === 'number') both[name] = value + other;
    if (typeof value === 'object' && typeof other === 'object') {
      both[name] = value.map((count, at) => count + (other[at] ?? 0));
    }
  }
  return both;
}

function valuesBetween(before: ProbeValues, after: ProbeValues): ProbeValues {
  const grown: Record<string, number | readonly number[]> = {};
  for (const [name, value] of Object.entries(after)) {
    const earlier = before[name];
    if (typeof value === 'number') {
      if (typeof earlier === 'number' && value >= earlier) grown[name] = value - earlier;
    } else if (typeof earlier === 'object') {
      const counts = value.map((count, at) => count - (earlier[at] ?? 0));
      if (counts.every((count) => count >= 0)) grown[name] = counts;
    }
  }
  return grown;
}
