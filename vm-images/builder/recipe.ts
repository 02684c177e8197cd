// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import { NAME_PATTERN } from '../../harness/core/ids.ts';
import { type ImageContents, imageContents } from '../../harness/core/image-contents.ts';
import { readYaml } from '../../harness/core/yaml-source.ts';
import { zodFaults } from '../../harness/core/zod-faults.ts';

/** A package as apt takes it, with the suite that it must come from when that is not the recipe's. */
const debianPackage = z.string().regex(/^[a-z0-9][a-z0-9.+-]+(\/[a-z-]+)?$/);

/** The contents of `vm-images/recipes/<name>.yaml`. */
export const RecipeSchema = z.strictObject({
  summary: z.string().min(1),
  suite: z.literal('trixie'),
  guest: z.array(debianPackage).min(1),
  tools: z.array(debianPackage).min(1),
  qemu: z.string().regex(/^\d+\.\d+$/),
  /** Whether the guest also gets the packages of every workload. */
  workloads: z.enum(['fitting', 'all']).default('fitting'),
  /** Whether the pinned schedulers of cargo's registry are built as well. */
  policies: z.enum(['fitting', 'all']).default('fitting'),
  /** Whether the guest also gets Node and what the daemon imports. */
  runtime: z.boolean().default(false),
  schedulers: z.array(z.string().regex(/^scx_[a-z0-9_]+$/)),
});

/** A recipe as it is built: `guest` and `crates` are resolved. */
export type Recipe = z.infer<typeof RecipeSchema> & Pick<ImageContents, 'crates'>;

/** Reads a recipe by name; all faults at once. */
export async function readRecipe(root: string, name: string): Promise<Recipe> {
  const file = `vm-images/recipes/${name}.yaml`;
  const text = NAME_PATTERN.test(name)
    ? await readFile(join(root, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      })
    : undefined;
  if (text === undefined) {
    throw new PmvxError(ExitCode.usage, {
      what: `there is no recipe "${name}"`,
      next: 'See `pmvx list images`',
    });
  }
  const source = readYaml(text, file);
  const parsed = RecipeSchema.safeParse(source.value);
  const faults = [
    ...source.faults,
    ...(parsed.error === undefined ? [] : zodFaults(parsed.error, source, RecipeSchema)),
  ];
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
  const { packages, crates } = await imageContents(root, name);
  return { ...(parsed.data as z.infer<typeof RecipeSchema>), guest: [...packages], crates };
}
