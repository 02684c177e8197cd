// SPDX-License-Identifier: Apache-2.0
import type { ProbeSet, ProbeValues } from '../../harness/core/probe-counters.ts';
import { addValues } from '../../harness/core/probe-values.ts';

/** What probes counted on one machine in one stretch of time. */
export interface Counted {
  readonly durationNs: number;
  readonly vcpus: number;
  readonly sets: { readonly [set in ProbeSet]?: ProbeValues };
}

/** A counter that a feature needs is not there: nothing can be said about the vector. */
export class AbsentCounter extends Error {}

/** One number; throws {@link AbsentCounter}. */
export function counter(counted: Counted, set: ProbeSet, name: string): number {
  const value = counted.sets[set]?.[name];
  if (typeof value === 'number') return value;
  throw new AbsentCounter(counted.sets[set] === undefined ? `probe set ${set}` : `counter ${set}.${name}`);
}

/** The buckets of a histogram or table; throws {@link AbsentCounter}. */
export function buckets(counted: Counted, set: ProbeSet, name: string): readonly number[] {
  const value = counted.sets[set]?.[name];
  if (Array.isArray(value)) return value as readonly number[];
  throw new AbsentCounter(counted.sets[set] === undefined ? `probe set ${set}` : `counter ${set}.${name}`);
}

/** Windows that follow one another, as one; undefined for none. A counter that is absent in one is absent in the sum. */
export function addCounted(windows: readonly Counted[]): Counted | undefined {
  const [first, ...rest] = windows;
  if (first === undefined) return undefined;
  let sum = first;
  for (const next of rest) {
    const sets: { [set in ProbeSet]?: ProbeValues } = {};
    for (const set of Object.keys(sum.sets) as ProbeSet[]) {
      const [own, other] = [sum.sets[set], next.sets[set]];
      if (own !== undefined && other !== undefined) sets[set] = addValues(own, other);
    }
    sum = { vcpus: sum.vcpus, durationNs: sum.durationNs + next.durationNs, sets };
  }
  return sum;
}
