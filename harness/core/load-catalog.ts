// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import { type DefinitionPlace, readDefinitions } from './definition-folders.ts';
import { ExitCode, type Fault, PmvxError } from './errors.ts';
import { imageContents } from './image-contents.ts';
import { type PolicyDefinition, PolicySchema } from './policy.ts';
import { type WorkloadDefinition, WorkloadSchema } from './workload.ts';
import { workloadFaults } from './workload-faults.ts';
import type { YamlSource } from './yaml-source.ts';
import { shown } from './zod-faults.ts';

const WORKLOADS: DefinitionPlace<WorkloadDefinition> = {
  folder: 'workloads',
  file: 'workload.yaml',
  schema: WorkloadSchema,
  check: workloadFaults,
};

const POLICIES: DefinitionPlace<PolicyDefinition> = {
  folder: 'bpf/policies',
  file: 'policy.yaml',
  schema: PolicySchema,
  check: policyFaults,
};

const RECIPES = 'vm-images/recipes';

/** Finds every workload, policy and recipe under `root`. Throws once, with the faults of all of them. */
export async function loadCatalog(root: string): Promise<Catalog> {
  const [workloads, policies, recipes] = await Promise.all([
    readDefinitions(root, WORKLOADS),
    readDefinitions(root, POLICIES),
    recipeNames(join(root, RECIPES)),
  ]);
  const faults: Fault[] = [...workloads.faults, ...policies.faults];
  if (workloads.definitions.size === 0 && workloads.faults.length === 0)
    faults.push(nothingIn(join(root, WORKLOADS.folder)));
  if (policies.definitions.size === 0 && policies.faults.length === 0)
    faults.push(nothingIn(join(root, POLICIES.folder)));
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
  const images = new Map(
    await Promise.all(recipes.map(async (name) => [name, await imageContents(root, name)] as const)),
  );
  return { workloads: workloads.definitions, policies: policies.definitions, recipes, images };
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
