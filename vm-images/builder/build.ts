// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import { imageFolder, type ReadyImage, requireImage } from '../../harness/lab/image.ts';
import { IMAGE_FILES } from '../../harness/lab/image-files.ts';
import { assemble } from './assemble.ts';
import { lockBuilds, tryLockBuilds } from './build-lock.ts';
import { compile } from './compile.ts';
import { addCrates, buildCrates } from './crates.ts';
import { requireHost } from './host.ts';
import { type Recipe, readRecipe } from './recipe.ts';
import { guestRoot, toolsRoot } from './roots.ts';
import { addRuntime } from './runtime/add-runtime.ts';
import { bytesNeeded, hasScratch, openCache, sweepScratch } from './scratch.ts';
import { fileFault } from './step-fault.ts';
import { openWorkshop } from './workshop.ts';

export interface BuildRequest {
  readonly root: string;
  readonly cache: string;
  readonly recipe: string;
  /** Builds although the image is there, and fetches packages anew. */
  readonly force: boolean;
  /** Disk that must be free; by default what the shipped recipes take. */
  readonly bytesNeeded?: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * recipe -> guest root | tools root -> compile -> crates -> Node -> assemble -> into place -> verify
 *
 * Everything is made in a scratch folder and moved into place at the end by one rename: a build that fails or is killed
 * leaves no half image, and what was there before stays. Builds in one cache take turns.
 */
export async function buildImage(request: BuildRequest): Promise<ReadyImage> {
  const { root, cache, recipe: name, force } = request;
  const definition = await readRecipe(root, name);
  const target = await imageFolder(root, cache, name);
  const isThere = () => !force && existsSync(join(target, IMAGE_FILES.manifest));
  if (!isThere()) {
    await requireHost();
    try {
      await openCache(cache);
      const lock = await lockBuilds(cache, request.say, request.signal);
      try {
        // Whoever held the lock may have built this very image.
        if (!isThere()) await buildAlone(request, definition, target);
      } finally {
        await lock.release();
      }
    } catch (error) {
      throw fileFault(error, cache);
    }
  } else await sweepDead(request);
  return requireImage(root, cache, name);
}

/** A rebuild that was killed leaves its folder beside the image that is still there: nobody would build again because of it. */
async function sweepDead({ cache, signal }: BuildRequest): Promise<void> {
  if (!(await hasScratch(cache))) return;
  const lock = await tryLockBuilds(cache, signal);
  try {
    if (lock !== undefined) await sweepScratch(cache);
  } finally {
    await lock?.release();
  }
}

async function buildAlone(request: BuildRequest, definition: Recipe, target: string): Promise<void> {
  const { root, recipe: name, force } = request;
  const shop = await openWorkshop({ bytesNeeded: bytesNeeded(definition), ...request });
  try {
    const [tools, guest] = await both([
      toolsRoot(definition, shop, force),
      guestRoot(definition, shop, force),
    ]);
    const compiled = await compile(root, definition, { tools, guest }, shop);
    const crates = await buildCrates(root, definition.crates, tools, shop);
    await addCrates(crates, join(compiled.folder, 'sched'));
    const whole = definition.runtime ? await addRuntime(root, { tools, guest }, shop) : guest;
    const left = { ...crates.left, ...compiled.left };
    const parts = { tools, guest: whole, compiled: compiled.folder, left };
    const folder = await assemble(root, { name, definition }, parts, shop);
    if ((await imageFolder(root, request.cache, name)) !== target) {
      throw new PmvxError(ExitCode.image, {
        where: `image ${name}`,
        what: 'its recipe or sources changed while it was built',
        next: 'Build it again',
      });
    }
    await mkdir(dirname(target), { recursive: true });
    // A machine that runs on the old image keeps the files it has opened.
    if (existsSync(target)) await rename(target, join(shop.scratch, 'replaced-image'));
    await rename(folder, target);
  } finally {
    await shop.close();
  }
}

/** Waits for both even if one fails, so that nothing works on in a folder that is being removed. */
async function both<A, B>(tasks: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  const settled = await Promise.allSettled(tasks);
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
  return Promise.all(tasks);
}
