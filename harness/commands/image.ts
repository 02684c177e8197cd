// SPDX-License-Identifier: Apache-2.0
import { buildImage } from '../../vm-images/builder/build.ts';
import { ExitCode } from '../core/errors.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import type { Command, CommandContext } from './context.ts';

/** `pmvx image build RECIPE`: builds the image unless it is there and whole. */
export const imageBuildCommand: Command<{ readonly recipe: string; readonly force?: boolean }> = async (
  { recipe, force = false },
  context,
) => {
  const started = performance.now();
  const image = await buildImage({
    root: context.root,
    cache: cacheFolder(context.env),
    recipe,
    force,
    say: (line) => context.write(`     ${line} (${seconds(started)} s)`),
    signal: context.signal,
  });
  context.write(
    `image ${recipe} is ready: ${image.manifest.id}, digest ${image.digest}, ${seconds(started)} s`,
  );
  context.write(
    `     guest kernel ${image.manifest.guestKernel}, QEMU ${image.manifest.qemuVersion}, ${image.folder}`,
  );
  return ExitCode.ok;
};

/** `pmvx image verify RECIPE`: recomputes every digest. */
export const imageVerifyCommand: Command<{ readonly recipe: string }> = async ({ recipe }, context) => {
  const image = await readImage(recipe, context);
  const count = Object.keys(image.manifest.files).length;
  context.write(`image ${recipe} is whole: ${count} files, digest ${image.digest}`);
  return ExitCode.ok;
};

function readImage(recipe: string, context: CommandContext): ReturnType<typeof requireImage> {
  return requireImage(context.root, cacheFolder(context.env), recipe);
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}
