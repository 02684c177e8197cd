// SPDX-License-Identifier: Apache-2.0
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readYaml } from './yaml-source.ts';

/** What a recipe resolves to, beside what stands in it as it is. */
export interface ImageContents {
  /** Debian packages of the guest as apt takes them (`NAME` or `NAME/SUITE`), sorted, each once. */
  readonly packages: readonly string[];
  /** Packages of cargo's registry whose schedulers the image is to have, pinned: `scx_lavd@1.1.4`; sorted. */
  readonly crates: readonly string[];
  /** Node and what the daemon imports are in it; absent when not. */
  readonly runtime?: true;
}

/**
 * Resolves a recipe: `workloads: all` adds the packages of every workload, `policies: all` the crates of every policy. What is
 * faulty adds nothing; reading the recipe and the catalog tells the faults.
 */
export async function imageContents(root: string, recipe: string): Promise<ImageContents> {
  const { guest, workloads, policies, runtime } = await readMap(root, `vm-images/recipes/${recipe}.yaml`);
  const ofWorkloads =
    workloads === 'all' ? await everyWord(root, 'workloads/*/workload.yaml', 'packages') : [];
  const crates = policies === 'all' ? await everyWord(root, 'bpf/policies/*/policy.yaml', 'crate') : [];
  return {
    packages: mergePackages(words(guest), ofWorkloads),
    crates: [...new Set(crates)].sort(),
    ...(runtime === true ? { runtime } : {}),
  };
}

/** One entry for each package; the recipe's own wins, for it may name the suite. */
export function mergePackages(own: readonly string[], added: readonly string[]): string[] {
  const byName = new Map([...added, ...own].map((entry) => [packageName(entry), entry]));
  return [...byName.values()].sort();
}

/** A package's name, without the suite that it is to come from. */
export function packageName(entry: string): string {
  return entry.replace(/\/.*$/, '');
}

async function everyWord(root: string, pattern: string, key: string): Promise<string[]> {
  const maps = await Promise.all(globSync(pattern, { cwd: root }).map((path) => readMap(root, path)));
  return maps.flatMap((map) => words(map[key]));
}

function words(value: unknown): string[] {
  return [value].flat().filter((word) => typeof word === 'string');
}

async function readMap(root: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(join(root, path), 'utf8').catch(() => '');
  const { value } = readYaml(text, path);
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}
