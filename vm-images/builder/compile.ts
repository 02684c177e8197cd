// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { imageSources } from '../../harness/lab/image.ts';
import { runInRoot } from './enter-root.ts';
import type { Recipe } from './recipe.ts';
import type { Workshop } from './workshop.ts';

/** Modules that the initramfs loads, in the guest's `/usr/lib/modules/<kernel>/kernel`. */
const PMEM_MODULES = ['libnvdimm', 'nd_virtio', 'virtio_pmem', 'nd_btt', 'nd_pmem'];

/** What came of compiling. */
export interface Compiled {
  readonly folder: string;
  /** Folders of workloads and policies that do not compile, each with the compiler's first error. */
  readonly left: Readonly<Record<string, string>>;
}

/** Compiles everything of ours and the schedulers inside the tools root. */
export async function compile(
  root: string,
  recipe: Recipe,
  roots: { readonly tools: string; readonly guest: string },
  shop: Workshop,
): Promise<Compiled> {
  shop.say('compiling agent, idle module, slice plugin, workload drivers and schedulers');
  const build = join(shop.scratch, 'build');
  const input = join(build, 'in');
  await mkdir(join(input, 'modules'), { recursive: true });
  for (const path of imageSources(root)) {
    await mkdir(dirname(join(input, path)), { recursive: true });
    await cp(join(root, path), join(input, path), { recursive: true });
  }
  await cp(join(root, 'vm-images/builder/compile.sh'), join(build, 'compile.sh'));
  const wanted = PMEM_MODULES.map((name) => `*/kernel/drivers/nvdimm/${name}.ko.xz`);
  await shop.step('compile', async ($) => {
    await $`tar -x -f ${roots.guest} -C ${join(input, 'modules')} --transform s,.*/,, --wildcards ${wanted}`;
    const args = recipe.schedulers;
    await runInRoot($, { root: roots.tools, build, script: 'compile.sh', args });
  });
  const output = join(build, 'out');
  // The kernel's types, for what is compiled later.
  if (recipe.runtime) await rename(join(build, 'scx/build/include'), join(shop.scratch, 'scx-include'));
  await rm(join(build, 'scx'), { recursive: true, force: true });
  const left = await leftOut(join(output, 'left'));
  for (const [name, why] of Object.entries(left)) shop.say(`left out: ${name}: ${why}`);
  return { folder: output, left };
}

/** What compile.sh left out: a file for each, named by the folder, with the reason. */
async function leftOut(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder).catch(() => []);
  const entries = await Promise.all(
    names.sort().map(async (name) => {
      const why = (await readFile(join(folder, name), 'utf8')).trim().slice(0, 500);
      return [name.replaceAll('%', '/'), why] as const;
    }),
  );
  await rm(folder, { recursive: true, force: true });
  return Object.fromEntries(entries);
}
