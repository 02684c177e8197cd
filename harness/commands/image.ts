// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { buildImage } from '../../vm-images/builder/build.ts';
import { formatLock, lockOf, lockPath, lockWords, readLock } from '../../vm-images/builder/package-lock.ts';
import { ExitCode } from '../core/errors.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { readSelfTest, requirePassed, selfTest } from '../lab/self-test.ts';
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
  for (const [name, why] of Object.entries(image.manifest.left ?? {}))
    context.write(`     without ${name}: ${why}`);
  context.write(`     ${lockWords(await readLock(context.root, recipe), await lockOf(image))}`);
  return ExitCode.ok;
};

/** `pmvx image lock RECIPE`: records what the image is made of, for the next builds to be compared with. */
export const imageLockCommand: Command<{ readonly recipe: string }> = async ({ recipe }, context) => {
  const lock = await lockOf(await readImage(recipe, context));
  const path = join(context.root, lockPath(recipe));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, formatLock(lock));
  const [guest, tools] = [lock.guest, lock.tools].map((packages) => Object.keys(packages).length);
  context.write(`${lockPath(recipe)}: ${guest} packages in the guest root, ${tools} in the tools root`);
  return ExitCode.ok;
};

/** `pmvx image verify RECIPE`: recomputes every digest. */
export const imageVerifyCommand: Command<{ readonly recipe: string }> = async ({ recipe }, context) => {
  const image = await readImage(recipe, context);
  const count = Object.keys(image.manifest.files).length;
  context.write(`image ${recipe} is whole: ${count} files, digest ${image.digest}`);
  return ExitCode.ok;
};

/** `pmvx image selftest RECIPE`: proves the image on the exact engine, unless that has been done. */
export const imageSelftestCommand: Command<{ readonly recipe: string; readonly force?: boolean }> = async (
  { recipe, force = false },
  context,
) => {
  const image = await readImage(recipe, context);
  const kept = force ? undefined : await readSelfTest(image);
  if (kept !== undefined) {
    requirePassed(kept, image);
    const worst = Math.max(...Object.values(kept.spread));
    context.write(`     passed before: equal within ${(worst * 100).toFixed(2)} %, boots and fork identical`);
    return ExitCode.ok;
  }
  const report = await selfTest(image, {
    say: (line) => context.write(`     ${line}`),
    signal: context.signal,
    jobs: availableParallelism(),
  });
  requirePassed(report, image);
  return ExitCode.ok;
};

function readImage(recipe: string, context: CommandContext): ReturnType<typeof requireImage> {
  return requireImage(context.root, cacheFolder(context.env), recipe);
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}
