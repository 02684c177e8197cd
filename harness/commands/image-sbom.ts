// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { lockOf, lockWords, readLock } from '../../vm-images/builder/package-lock.ts';
import { readRecipe } from '../../vm-images/builder/recipe.ts';
import { formatSbom, sbomOf } from '../../vm-images/builder/sbom.ts';
import { ExitCode } from '../core/errors.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import type { Command } from './context.ts';

export interface ImageSbomArgs {
  readonly recipe: string;
  /** File to write instead of stdout. */
  readonly out?: string;
}

/** `pmvx image sbom RECIPE`: what a built image is made of, as SPDX 2.3. */
export const imageSbomCommand: Command<ImageSbomArgs> = async ({ recipe, out }, context) => {
  await readRecipe(context.root, recipe);
  const image = await requireImage(context.root, cacheFolder(context.env), recipe);
  const document = await sbomOf(context.root, image);
  const text = formatSbom(document);
  if (out === undefined) {
    context.write(text.trimEnd());
    return ExitCode.ok;
  }
  await writeAtomic(resolve(out), text);
  const { packages, files } = document;
  context.write(`${out}: ${packages.length - 1} packages and ${files.length} files of the project`);
  context.write(`     ${lockWords(await readLock(context.root, recipe), await lockOf(image))}`);
  return ExitCode.ok;
};
