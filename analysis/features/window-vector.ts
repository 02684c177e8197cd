// SPDX-License-Identifier: Apache-2.0
import type { ProbeSet, ProbeTotals } from '../../harness/core/probe-counters.ts';
import { totalsBetween } from '../../harness/core/probe-values.ts';
import type { Counted } from './counted.ts';
import { type KnownVector, type UnknownVector, workloadVector } from './workload-vector.ts';

/** What each set counted in one stretch of time; a set that was not asked for, or is gone, is absent. */
export type WindowCounters = { readonly [set in ProbeSet]?: ProbeTotals };

/**
 * What was counted between two readings of the same probes. A counter that either of them lacks, or that went back (a processor
 * that was taken off line counts no more), is absent; so is a set that only one of them has.
 */
export function windowCounters(before: WindowCounters, after: WindowCounters): WindowCounters {
  const both = (Object.keys(after) as ProbeSet[]).flatMap((set) => {
    const [from, to] = [before[set], after[set]];
    if (from === undefined || to === undefined) return [];
    return [[set, totalsBetween(from, to)] as const];
  });
  return Object.fromEntries(both);
}

/**
 * The vector of a window, a trial or a host's last second: unit length, a number for each of FEATURES, of version FEATURES_VERSION.
 * The same function makes what is learnt and what is asked, so both see the same thing.
 * `unknown`, with the reason in words, when the window is too short or too empty to judge, or lacks a counter that features need.
 * @param counters of the sets cpu, mem, io and net; more may be there. Durations are those of `cpu`.
 * @param vcpus processors that were on line.
 */
export function windowVector(counters: WindowCounters, vcpus: number): KnownVector | UnknownVector {
  return workloadVector(countedOf(counters, vcpus));
}

export function countedOf(counters: WindowCounters, vcpus: number): Counted {
  const counted = Object.entries(counters);
  const sets = Object.fromEntries(counted.map(([set, totals]) => [set, totals.counters]));
  return { durationNs: counters.cpu?.ns ?? counted[0]?.[1].ns ?? 0, vcpus, sets };
}
