// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { filesBelow } from '../../lab/image-files.ts';
import type { RunLab } from './run-kind.ts';
import { type RunScene, runScene } from './scene.ts';
import { type Undisturbed, undisturbed } from './undisturbed.ts';

/** Small machines under two schedulers, forked from one snapshot. */
const SPEC = `
name: exact
image: quick
policies: [eevdf, scx_simple]
workloads: [{ use: spinners, with: { tasks: 3, units: 60 } }]
machine: { engine: exact, vcpus: 2, memory: 512MiB }
seeds: { base: 7, count: 3 }
controls: []
`;
const TOTAL = 6;

/** A run with real machines of the image in `image`, which is only read. */
export async function exactLab(folder: string, image: string, jobs: number): Promise<RunLab> {
  const spec = join(folder, 'exact.yaml');
  await writeFile(spec, SPEC);
  const sceneIn = async (own: string): Promise<RunScene> => {
    const cache = join(own, 'cache');
    await mkdir(cache, { recursive: true });
    await symlink(dirname(image), join(cache, 'images'));
    return runScene({ folder: own, engine: 'exact', spec, total: TOTAL, cache, jobs });
  };
  let base: Promise<Undisturbed> | undefined;
  const quiet = join(folder, 'undisturbed-exact');
  return {
    engine: 'exact',
    async open(own, draw) {
      base ??= sceneIn(quiet).then(undisturbed);
      const found = await base;
      const scene = await sceneIn(own);
      // Most runs find the snapshot there; the others make it while something happens to them.
      if (draw.chance(70)) await copySnapshots(join(quiet, 'cache'), scene.cache);
      return { scene, base: found };
    },
  };
}

async function copySnapshots(from: string, to: string): Promise<void> {
  await execa('cp', ['-a', '--sparse=always', '--reflink=auto', join(from, 'snapshots'), to]);
}

/**
 * Gives a scene an image of its own, of which `name` may be damaged: the other files are the same ones. Returns the path of the part.
 */
export async function ownImage(scene: RunScene, image: string, name: string): Promise<string> {
  const images = join(scene.cache, 'images');
  await execa('rm', [images]);
  const own = join(images, basename(image));
  for (const file of await filesBelow(image)) {
    await mkdir(dirname(join(own, file)), { recursive: true });
    const [from, to] = [join(image, file), join(own, file)];
    if (file === name) await copyFile(from, to);
    // Another disk.
    else await link(from, to).catch(() => copyFile(from, to));
  }
  return join(own, name);
}

/** The folder of the only snapshot; undefined before it is made. */
export async function snapshotOf(scene: RunScene): Promise<string | undefined> {
  const folder = join(scene.cache, 'snapshots');
  if (!existsSync(folder)) return undefined;
  const { stdout } = await execa('ls', [folder]);
  const [key] = stdout.split('\n').filter((name) => /^[0-9a-f]{16}$/.test(name));
  return key === undefined ? undefined : join(folder, key);
}
