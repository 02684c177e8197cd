// SPDX-License-Identifier: Apache-2.0
import type { WorkloadUse } from '../../harness/core/spec.ts';

/** A workload of which the spec varies one number, and nothing else. */
export interface Sweep {
  readonly workload: string;
  readonly parameter: string;
  /** Ascending; the first is what the others are divided by. */
  readonly steps: readonly { readonly value: number; readonly variant: string }[];
}

/**
 * The sweeps of a spec, in its order. A workload that is used once, or whose uses differ in more than one parameter or in a
 * word, has none.
 */
export function sweepsOf(uses: readonly WorkloadUse[]): Sweep[] {
  const names = [...new Set(uses.map(({ workload }) => workload))];
  return names.flatMap((workload): Sweep[] => {
    const own = uses.filter((use) => use.workload === workload);
    const varied = Object.keys(own[0]?.params ?? {}).filter(
      (name) => new Set(own.map(({ params }) => params[name])).size > 1,
    );
    const [parameter] = varied;
    if (parameter === undefined || varied.length > 1) return [];
    const steps = own.flatMap(({ params, variant }) => {
      const value = params[parameter];
      return typeof value === 'number' ? [{ value, variant }] : [];
    });
    if (steps.length < own.length) return [];
    return [{ workload, parameter, steps: steps.sort((a, b) => a.value - b.value) }];
  });
}
