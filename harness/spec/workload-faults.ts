// SPDX-License-Identifier: Apache-2.0
import { absence, type Catalog } from '../core/catalog.ts';
import { NAME_PATTERN } from '../core/ids.ts';
import type { SpecFault } from './fault.ts';
import { isMap } from './is-map.ts';
import { resolveParameters, variantName } from './parameters.ts';

/** Faults of `workloads`: only workloads that exist, with parameters that they take, each variant once. */
export function workloadFaults(workloads: unknown, catalog: Catalog): SpecFault[] {
  if (!Array.isArray(workloads)) return [];
  const first = new Map<string, number>();
  return workloads.flatMap((entry: unknown, index) => {
    if (!isMap(entry) || typeof entry.use !== 'string' || !NAME_PATTERN.test(entry.use)) return [];
    const workload = catalog.workloads.get(entry.use);
    if (workload === undefined)
      return [{ path: ['workloads', index, 'use'], ...absence('workload', entry.use, catalog) }];
    const given = entry.with === undefined ? {} : entry.with;
    if (!isMap(given)) return [];
    const { params, faults } = resolveParameters(workload, given, 'exact');
    if (faults.length > 0) {
      return faults.map(({ name, unknown, what, next }): SpecFault => {
        const path = ['workloads', index, 'with', name];
        return unknown ? { path, part: 'key', what, next } : { path, what, next };
      });
    }
    const variant = `${entry.use} ${variantName(params)}`;
    const earlier = first.get(variant);
    if (earlier === undefined) {
      first.set(variant, index);
      return [];
    }
    const what = `workloads[${index}] repeats ${variant}, already at workloads[${earlier}]`;
    return [
      {
        path: ['workloads', index],
        what,
        next: 'Remove it, or change a parameter; seeds.count repeats trials.',
      },
    ];
  });
}
