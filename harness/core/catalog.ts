// SPDX-License-Identifier: Apache-2.0
import { type Fault, formatFault } from './errors.ts';
import type { ImageContents } from './image-contents.ts';
import { didYouMean } from './nearest.ts';
import type { Policy } from './policy.ts';
import type { Workload } from './workload.ts';

/** Every workload, policy and image recipe that exists, found by their folders; keys are ids, sorted. */
export interface Catalog {
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly policies: ReadonlyMap<string, Policy>;
  /** Names of `vm-images/recipes/*.yaml`. */
  readonly recipes: readonly string[];
  /** What each recipe resolves to; nothing is asked of images that are not here. */
  readonly images?: ReadonlyMap<string, ImageContents>;
  /** Faults of definitions that are left out for them, by folder (`bpf/policies/mine`), sorted; each is the fault of what uses it alone. */
  readonly broken?: ReadonlyMap<string, readonly Fault[]>;
}

/** Where the definitions of each kind are, below the project's root. */
export const FOLDERS = { workload: 'workloads', policy: 'bpf/policies' } as const;

/** Why there is no workload or policy of a name: it is left out for a fault of its own, or there is none. */
export function absence(
  kind: keyof typeof FOLDERS,
  name: string,
  { broken, workloads, policies }: Partial<Catalog>,
): { readonly what: string; readonly next: string } {
  const [fault] = broken?.get(`${FOLDERS[kind]}/${name}`) ?? [];
  if (fault !== undefined) {
    const { next = 'Correct it', ...rest } = fault;
    return { what: `${kind} ${JSON.stringify(name)} cannot be used: ${formatFault(rest)}`, next };
  }
  const known = kind === 'workload' ? workloads : policies;
  return { what: `there is no ${kind} ${JSON.stringify(name)}`, next: didYouMean(name, known?.keys() ?? []) };
}

/** One line about all definitions that are left out; undefined when there is none. */
export function brokenWords({ broken = new Map() }: Catalog): string | undefined {
  const [first] = broken;
  if (first === undefined) return undefined;
  const [folder, [fault]] = first;
  const { next: _, ...rest } = fault as Fault;
  const others = broken.size - 1;
  const more = others === 0 ? '' : `; ${others} more ${others === 1 ? 'is' : 'are'} left out, too`;
  return `${folder} is left out: ${formatFault(rest)}${more}. \`pmvx lint\` says all`;
}
