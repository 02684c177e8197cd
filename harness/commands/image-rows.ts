// SPDX-License-Identifier: Apache-2.0
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { imageDigest, imageFolder, readManifest } from '../lab/image.ts';
import { cacheFolder, filesBelow } from '../lab/image-files.ts';
import { readSelfTest } from '../lab/self-test.ts';
import type { CommandContext } from './context.ts';

type ImageRow = Readonly<Record<'recipe' | 'image' | 'state' | 'size' | 'selftest', string>>;

/**
 * Every recipe with its image, and images in the cache that no recipe gives any more. Reads manifests only; `image verify`
 * is what recomputes digests.
 */
export async function imageRows(context: CommandContext): Promise<ImageRow[]> {
  const cache = cacheFolder(context.env);
  const { recipes } = await context.catalog();
  const rows: ImageRow[] = [];
  const current = new Set<string>();
  for (const recipe of recipes) {
    const folder = await imageFolder(context.root, cache, recipe);
    current.add(folder);
    rows.push(await imageRow(recipe, folder, 'built'));
  }
  for (const id of await readdir(join(cache, 'images')).catch(() => [])) {
    const folder = join(cache, 'images', id);
    if (!current.has(folder))
      rows.push(await imageRow(id.replace(/-[^-]*$/, ''), folder, 'of other sources'));
  }
  return rows;
}

async function imageRow(recipe: string, folder: string, whole: string): Promise<ImageRow> {
  const image = folder.slice(folder.lastIndexOf('/') + 1);
  const size = await sizeOf(folder);
  if (size === undefined) return { recipe, image, state: 'not built', size: '', selftest: '' };
  const manifest = await readManifest(folder, recipe).catch(() => undefined);
  if (manifest === undefined) return { recipe, image, state: 'damaged', size: mib(size), selftest: '' };
  const report = await readSelfTest({ folder, digest: imageDigest(manifest) });
  const selftest = report === undefined ? 'not tested' : report.passed ? 'passed' : 'FAILED';
  const without = Object.keys(manifest.left ?? {});
  const state = without.length === 0 ? whole : `${whole} without ${without.join(', ')}`;
  return { recipe, image, state, size: mib(size), selftest };
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

/** Bytes on disk, holes left out. */
async function sizeOf(folder: string): Promise<number | undefined> {
  const names = await filesBelow(folder).catch(() => undefined);
  if (names === undefined) return undefined;
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).blocks * 512));
  return sizes.reduce((sum, size) => sum + size, 0);
}
