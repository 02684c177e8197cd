// SPDX-License-Identifier: Apache-2.0
import { candidatesOf, MAX_CANDIDATES, MAX_MODULES, modulesOf } from '../core/candidates.ts';
import { absence, type Catalog } from '../core/catalog.ts';
import { NAME_PATTERN } from '../core/ids.ts';
import { didYouMean } from '../core/nearest.ts';
import { shown } from '../core/zod-faults.ts';
import type { SpecFault } from './fault.ts';
import { DEFAULT_BASELINE } from './raw-spec.ts';

/** Faults of `image`: only recipes that exist. */
export function imageFaults(image: unknown, catalog: Catalog): SpecFault[] {
  if (!isName(image) || catalog.recipes.includes(image)) return [];
  const next = didYouMean(image, catalog.recipes);
  return [{ path: ['image'], what: `there is no image recipe ${shown(image)}`, next }];
}

/** Faults of `policies`: only policies that exist, each once. */
export function policyFaults(policies: unknown, catalog: Catalog): SpecFault[] {
  if (!Array.isArray(policies)) return [];
  const first = new Map<string, number>();
  const faults: SpecFault[] = [];
  for (const [index, policy] of policies.entries()) {
    if (!isName(policy)) continue;
    const path = ['policies', index];
    const earlier = first.get(policy);
    if (earlier !== undefined) {
      const what = `policies[${index}] repeats ${shown(policy)}, already at policies[${earlier}]`;
      faults.push({ path, what, next: 'Remove it; `controls: [aa]` runs the baseline twice.' });
      continue;
    }
    first.set(policy, index);
    if (catalog.policies.has(policy)) continue;
    faults.push({ path, ...absence('policy', policy, catalog) });
  }
  return faults;
}

/** Faults of `policies`: what all of them need must fit into one machine, which prepares them before any is chosen. */
export function roomFaults(policies: unknown, catalog: Catalog): SpecFault[] {
  if (!Array.isArray(policies)) return [];
  const known = policies.flatMap((id) => catalog.policies.get(id) ?? []);
  const [schedulers, modules] = [candidatesOf(known).length, modulesOf(known).length];
  const next = 'Split the experiment';
  const faults: SpecFault[] = [];
  if (schedulers > MAX_CANDIDATES) {
    const what = `policies have ${schedulers} sched_ext schedulers; a machine holds at most ${MAX_CANDIDATES}`;
    faults.push({ path: ['policies'], what, next });
  }
  if (modules > MAX_MODULES) {
    const what = `policies need ${modules} kernel modules; a machine loads at most ${MAX_MODULES}`;
    faults.push({ path: ['policies'], what, next });
  }
  return faults;
}

/** Faults of `baseline`: it must be one of `policies`, also when it is the default. */
export function baselineFaults(baseline: unknown, policies: unknown): SpecFault[] {
  if (!Array.isArray(policies)) return [];
  const named = policies.filter(isName);
  if (named.length === 0) return [];
  if (baseline === undefined && !named.includes(DEFAULT_BASELINE)) {
    const what = `baseline is not given and its default, "${DEFAULT_BASELINE}", is not among policies`;
    return [
      {
        path: ['policies'],
        what,
        next: `Add ${DEFAULT_BASELINE} to policies, or set baseline to one of them.`,
      },
    ];
  }
  if (!isName(baseline) || named.includes(baseline)) return [];
  const what = `baseline must be one of policies, got ${shown(baseline)}`;
  return [{ path: ['baseline'], what, next: didYouMean(baseline, named) }];
}

/** Faults of `controls`: each at most once. */
export function controlFaults(controls: unknown): SpecFault[] {
  if (!Array.isArray(controls)) return [];
  return controls.flatMap((control: unknown, index) => {
    if (control !== 'aa' || controls.indexOf(control) === index) return [];
    return [{ path: ['controls', index], what: 'controls repeats "aa"', next: 'Keep one of them.' }];
  });
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME_PATTERN.test(value);
}
