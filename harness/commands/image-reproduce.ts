// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildImage } from '../../vm-images/builder/build.ts';
import { lockOf, lockWords } from '../../vm-images/builder/package-lock.ts';
import { ExitCode } from '../core/errors.ts';
import { type ImageManifest, requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import type { Command } from './context.ts';

/** A file that two builds of one recipe do not agree on. */
export interface FileDifference {
  readonly file: string;
  /** Bytes and SHA-256 there and in the second build; undefined where it is not. */
  readonly first: Facts | undefined;
  readonly second: Facts | undefined;
}

type Facts = ImageManifest['files'][string];

/** `pmvx image reproduce RECIPE`: builds a built image once more from nothing, in a cache of its own, and compares file by file. */
export const imageReproduceCommand: Command<{ readonly recipe: string }> = async ({ recipe }, context) => {
  const cache = cacheFolder(context.env);
  const first = await requireImage(context.root, cache, recipe);
  const started = performance.now();
  await mkdir(cache, { recursive: true });
  const own = await mkdtemp(join(dirname(cache), 'pmvx-reproduce-'));
  try {
    const { root } = context;
    const say = (line: string) => context.write(`     ${line}`);
    const second = await buildImage({ root, cache: own, recipe, force: false, say, signal: context.signal });
    const differences = differencesOf(first.manifest.files, second.manifest.files);
    const count = Object.keys(first.manifest.files).length;
    const took = `${((performance.now() - started) / 1000).toFixed(0)} s`;
    if (differences.length === 0) {
      context.write(
        `image ${recipe} built twice: all ${count} files are identical, digest ${first.digest} (${took})`,
      );
      return ExitCode.ok;
    }
    context.write(`image ${recipe} built twice: ${differences.length} of ${count} files differ (${took})`);
    for (const { file, first: a, second: b } of differences) {
      context.write(`     ${file}: ${factsWords(a)} and ${factsWords(b)}`);
    }
    // Packages are fetched from what Debian has today.
    context.write(`     second build: ${lockWords(await lockOf(first), await lockOf(second))}`);
    return ExitCode.failure;
  } finally {
    await rm(own, { recursive: true, force: true });
  }
};

/** Files that are not the same in both, by name. */
export function differencesOf(
  first: ImageManifest['files'],
  second: ImageManifest['files'],
): FileDifference[] {
  return [...new Set([...Object.keys(first), ...Object.keys(second)])]
    .sort()
    .filter((file) => first[file]?.sha256 !== second[file]?.sha256)
    .map((file) => ({ file, first: first[file], second: second[file] }));
}

function factsWords(facts: Facts | undefined): string {
  return facts === undefined ? 'missing' : `${facts.size} bytes ${facts.sha256.slice(0, 16)}`;
}
