// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalog, FOLDERS } from './catalog.ts';
import { type DefinitionPlace, readDefinitions } from './definition-folders.ts';
import { ExitCode, type Fault, PmvxError } from './errors.ts';
import { imageContents } from './image-contents.ts';
import { type PolicyDefinition, PolicySchema } from './policy.ts';
import { pinFaults } from './program-pins.ts';
import { type WorkloadDefinition, WorkloadSchema } from './workload.ts';
import { workloadFaults } from './workload-faults.ts';
import type { YamlSource } from './yaml-source.ts';
import { shown } from './zod-faults.ts';

const WORKLOADS: DefinitionPlace<WorkloadDefinition> = {
  folder: FOLDERS.workload,
  file: 'workload.yaml',
  schema: WorkloadSchema,
  check: workloadFaults,
};

const POLICIES: DefinitionPlace<PolicyDefinition> = {
  folder: FOLDERS.policy,
  file: 'policy.yaml',
  schema: PolicySchema,
  check: policyFaults,
};

const RECIPES = 'vm-images/recipes';

/**
 * Finds every workload, policy and recipe under `root`. What has a fault is left out, and told of in `broken`. Throws when there is no
 * policy or no workload that can be used, with the faults of all.
 */
export async function loadCatalog(root: string): Promise<Catalog> {
  const [workloads, found, recipes] = await Promise.all([
    readDefinitions(root, WORKLOADS),
    readDefinitions(root, POLICIES),
    recipeNames(join(root, RECIPES)),
  ]);
  const pins = pinFaults(found.definitions.values(), found.locate);
  const policies = new Map([...found.definitions].filter(([id]) => !pins.has(id)));
  const broken = new Map([
    ...[...workloads.broken].map(([id, faults]) => [`${FOLDERS.workload}/${id}`, faults] as const),
    ...[...found.broken, ...pins]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, faults]) => [`${FOLDERS.policy}/${id}`, faults] as const),
  ]);
  const absent = [
    ...(workloads.definitions.size + workloads.broken.size === 0
      ? [nothingIn(join(root, FOLDERS.workload))]
      : []),
    ...(policies.size + found.broken.size + pins.size === 0 ? [nothingIn(join(root, FOLDERS.policy))] : []),
  ];
  if (workloads.definitions.size === 0 || policies.size === 0)
    throw new PmvxError(ExitCode.usage, [...[...broken.values()].flat(), ...absent]);
  const images = new Map(
    await Promise.all(recipes.map(async (name) => [name, await imageContents(root, name)] as const)),
  );
  return { workloads: workloads.definitions, policies, recipes, images, broken };
}

function policyFaults(
  id: string,
  definition: PolicyDefinition,
  files: readonly string[],
  source: YamlSource,
): Fault[] {
  if (definition.kind === 'struct_ops' && !files.includes(`${id}.bpf.c`)) {
    const what = `there is no ${id}.bpf.c beside this file`;
    return [{ where: source.locate(['kind']), what, next: 'Add it, or choose another kind' }];
  }
  if (definition.kind !== 'process' || definition.argv[0]?.startsWith('/')) return [];
  const where = source.locate(['argv', 0]);
  const what = `the first argument must be an absolute path, got ${shown(definition.argv[0])}`;
  return [{ where, what, next: 'The guest searches no PATH' }];
}

function nothingIn(folder: string): Fault {
  return { where: folder, what: 'nothing is defined here', next: 'Is this the root of the project?' };
}

async function recipeNames(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.flatMap((name) => (name.endsWith('.yaml') ? [name.slice(0, -'.yaml'.length)] : [])).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
