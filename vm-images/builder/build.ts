// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import { imageFolder, type ReadyImage, requireImage } from '../../harness/lab/image.ts';
import { IMAGE_FILES } from '../../harness/lab/image-files.ts';
import { assemble } from './assemble.ts';
import { compile } from './compile.ts';
import { readRecipe } from './recipe.ts';
import { guestRoot, toolsRoot } from './roots.ts';
import { openWorkshop } from './workshop.ts';

export interface BuildRequest {
  readonly root: string;
  readonly cache: string;
  readonly recipe: string;
  /** Builds although the image is there, and fetches packages anew. */
  readonly force: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * recipe -> guest root | tools root -> compile -> assemble -> verify -> into place
 *
 * Everything is made in a scratch folder and moved into place at the end by one rename: a build that fails or is killed
 * leaves no half image, and two builds at once do not see each other.
 */
export async function buildImage(request: BuildRequest): Promise<ReadyImage> {
  const { root, cache, recipe: name } = request;
  const definition = await readRecipe(root, name);
  const target = await imageFolder(root, cache, name);
  if (!request.force && existsSync(join(target, IMAGE_FILES.manifest)))
    return requireImage(root, cache, name);
  await requirePrograms();
  if (request.force) await rm(join(cache, 'roots'), { recursive: true, force: true });
  const shop = await openWorkshop(request);
  try {
    const [tools, guest] = await both([toolsRoot(definition, shop), guestRoot(definition, shop)]);
    const compiled = await compile(root, definition, { tools, guest }, shop);
    const folder = await assemble(root, { name, definition }, { tools, guest, compiled }, shop);
    await mkdir(dirname(target), { recursive: true });
    if (request.force) await rm(target, { recursive: true, force: true });
    await rename(folder, target).catch((error: NodeJS.ErrnoException) => {
      // Another build of the same image was faster.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await shop.close();
  }
  return requireImage(root, cache, name);
}

/** Waits for both even if one fails, so that nothing works on in a folder that is being removed. */
async function both<A, B>(tasks: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  const settled = await Promise.allSettled(tasks);
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
  return Promise.all(tasks);
}

const PROGRAMS: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  tar: 'tar',
  bash: 'bash',
  unshare: 'util-linux',
  setpriv: 'util-linux',
};

async function requirePrograms(): Promise<void> {
  for (const [program, debianPackage] of Object.entries(PROGRAMS)) {
    const found = await execa({ reject: false })('sh', ['-c', 'command -v "$1"', 'sh', program]);
    if (!found.failed) continue;
    throw new PmvxError(ExitCode.environment, {
      what: `${program} is not installed, and images are built with it`,
      next: `Run \`apt-get install ${debianPackage}\``,
    });
  }
}
