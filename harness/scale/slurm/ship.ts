// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { snapshotsFolder } from '../../lab/snapshots/folders.ts';
import { isSnapshotKey } from '../../lab/snapshots/keys.ts';
import { lockFile } from '../../lab/snapshots/lock.ts';
import { readManifest } from '../../lab/snapshots/manifest.ts';

/** What nodes need of a cache: folders below it, named by what is in them. */
export type Cargo = readonly string[];

/**
 * The image in `folder` (below `<cache>/images`), whose digest is `digest`, and every snapshot that is a boot of it. Snapshots in the middle
 * of a run belong to one block each: whoever runs the block makes them.
 */
export async function cargoOf(
  cache: string,
  image: { readonly folder: string; readonly digest: string },
): Promise<Cargo> {
  const snapshots = snapshotsFolder(cache);
  const keys = (await readdir(snapshots).catch(() => [])).filter(isSnapshotKey);
  const boots: string[] = [];
  for (const key of keys) {
    const manifest = await readManifest(join(snapshots, key), key);
    if (typeof manifest === 'string') continue;
    if (manifest.parts.image === image.digest && manifest.parts.parent === undefined)
      boots.push(`snapshots/${key}`);
  }
  return [`images/${basename(image.folder)}`, ...boots.sort()];
}

/**
 * Copies what of the cargo is not in the cache `to` yet from the cache `from`, each folder as one step, holes left out; gives what was
 * copied. Of several processes of a node one copies and the others wait. Whether bytes are those that they should be is seen by their
 * digests when they are used.
 */
export function stageCargo(
  from: string,
  to: string,
  cargo: Cargo,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return bringCargo(to, cargo, signal, async (missing, scratch) => {
    for (const name of missing) {
      await mkdir(dirname(join(scratch, name)), { recursive: true });
      const way = ['-a', '--sparse=always', '--reflink=auto', '--'];
      await execa('cp', [...way, join(from, name), join(scratch, name)], { cancelSignal: signal });
    }
  });
}

/** Packs cargo into one file, for programs that send files. */
export async function packCargo(
  cache: string,
  cargo: Cargo,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const beside = `${file}.part`;
  const way = ['--create', '--sparse', '--file', beside, '--directory', cache, '--'];
  await execa('tar', [...way, ...cargo], { cancelSignal: signal });
  await rename(beside, file);
}

/** Unpacks what `packCargo` packed into the cache `to`; what is there stays as it is. */
export function unpackCargo(
  file: string,
  to: string,
  cargo: Cargo,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return bringCargo(to, cargo, signal, async (missing, scratch) => {
    const way = ['--extract', '--sparse', '--file', file, '--directory', scratch, '--'];
    await execa('tar', [...way, ...missing], { cancelSignal: signal });
  });
}

/** Lets `fill` make what of the cargo is missing in a folder beside, and puts it in place; gives what was missing. */
async function bringCargo(
  to: string,
  cargo: Cargo,
  signal: AbortSignal,
  fill: (missing: Cargo, scratch: string) => Promise<void>,
): Promise<readonly string[]> {
  await makePlace(to);
  const lock = await lockFile(join(to, '.lock-cargo'), 'exclusive', { wait: true, signal });
  if (typeof lock === 'string') throw new Error(`${to} was removed meanwhile`);
  try {
    // What was being brought when a process was killed.
    for (const name of await readdir(to)) {
      if (name.startsWith(SCRATCH)) await rm(join(to, name), { recursive: true, force: true });
    }
    const missing = cargo.filter((name) => !existsSync(join(to, name)));
    if (missing.length === 0) return missing;
    const scratch = await mkdtemp(join(to, SCRATCH));
    try {
      await fill(missing, scratch);
      for (const name of missing) {
        await mkdir(dirname(join(to, name)), { recursive: true });
        await rename(join(scratch, name), join(to, name));
      }
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return missing;
  } finally {
    await lock.release();
  }
}

const SCRATCH = '.cargo-';

async function makePlace(to: string): Promise<void> {
  try {
    await mkdir(to, { recursive: true });
  } catch (error) {
    throw new PmvxError(
      ExitCode.environment,
      {
        where: to,
        what: `this node cannot keep images here (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
        next: "Name a folder of each node's own disk with --node-cache",
      },
      { cause: error },
    );
  }
}
