// SPDX-License-Identifier: Apache-2.0
import type { Catalog } from '../core/catalog.ts';
import { packageName } from '../core/image-contents.ts';
import type { SpecFault } from './fault.ts';
import { isMap } from './is-map.ts';

/** Faults of workloads and policies that need what the image will not have; known before anything is built or run. */
export function imageContentFaults(value: Readonly<Record<string, unknown>>, catalog: Catalog): SpecFault[] {
  const { image } = value;
  const contents = typeof image === 'string' ? catalog.images?.get(image) : undefined;
  if (contents === undefined) return [];
  const names = new Set(contents.packages.map(packageName));
  const fault = (path: SpecFault['path'], who: string, missing: readonly string[]): SpecFault[] => {
    if (missing.length === 0) return [];
    const what = `${who} needs ${missing.join(', ')}, which image ${image} does not have`;
    return [{ path, what, next: 'use image: full' }];
  };
  const workloads = list(value.workloads).flatMap((entry, index) => {
    const workload =
      isMap(entry) && typeof entry.use === 'string' ? catalog.workloads.get(entry.use) : undefined;
    if (workload === undefined) return [];
    const missing = workload.definition.packages.map(packageName).filter((name) => !names.has(name));
    return fault(['workloads', index, 'use'], `workload ${workload.id}`, missing);
  });
  const policies = list(value.policies).flatMap((entry, index) => {
    const policy = typeof entry === 'string' ? catalog.policies.get(entry) : undefined;
    if (policy?.definition.kind !== 'process' || policy.definition.crate === undefined) return [];
    const missing = [policy.definition.crate].filter((pin) => !contents.crates.includes(pin));
    return fault(['policies', index], `policy ${policy.id}`, missing);
  });
  return [...policies, ...workloads];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
