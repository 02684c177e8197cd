// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, realpath, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import { shortDigest } from '../../harness/core/ids.ts';
import { LOCK_FILE } from './build-lock.ts';

const GIB = 2 ** 30;
/** Both roots, the image and its parts, measured at 3.4 GiB, and room for a second guest root. */
const BYTES_NEEDED = 5 * GIB;
/** More packages, and what cargo leaves while it builds. */
const BYTES_WITH_CRATES = 14 * GIB;
/** Both roots while mmdebstrap installs them, with the packages' archives: measured at 2.2 GiB. */
const UNPACK_BYTES = 3 * GIB;

/** The folders of one build; nobody else's while the build lock is held. */
export interface Scratch {
  /** On the file system of the cache, so that what is ready moves by a rename. */
  readonly folder: string;
  /** Where mmdebstrap installs: every user may pass through all folders above it. */
  readonly unpack: string;
  remove(): Promise<void>;
}

/** Disk that must be free for a recipe. */
export function bytesNeeded({ crates }: { readonly crates: readonly string[] }): number {
  return crates.length > 0 ? BYTES_WITH_CRATES : BYTES_NEEDED;
}

/** Makes the cache and the file of its lock, which shows whether it can be written. */
export async function openCache(cache: string): Promise<void> {
  try {
    await mkdir(cache, { recursive: true });
    await (await open(join(cache, LOCK_FILE), 'a')).close();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new PmvxError(ExitCode.environment, {
      where: cache,
      what: `images cannot be kept here (${code})`,
      next: 'Set PMVX_CACHE to a folder that can be written',
    });
  }
}

/** Whether a build works in this cache, or one has died there and left its folder. */
export async function hasScratch(cache: string): Promise<boolean> {
  return (await readdir(cache)).some((name) => name.startsWith(BUILDING));
}

/** Removes what builds that died left behind. Needs the build lock. */
export async function sweepScratch(cache: string): Promise<void> {
  await removeMatching(cache, BUILDING);
  await removeMatching(unpackBase(), await unpackPrefix(cache));
}

const BUILDING = 'building-';

/** As a base, /var/tmp: /tmp may lie in memory, which is too small. */
function unpackBase(): string {
  return process.env.TMPDIR || '/var/tmp';
}

/** Named by its cache, for it is that whose lock is held. */
async function unpackPrefix(cache: string): Promise<string> {
  return `pmvx-unpack-${shortDigest(await realpath(cache))}-`;
}

/** Makes the folders of a build, after removing what builds that died left behind. Needs the build lock. */
export async function openScratch(cache: string, bytesNeeded: number): Promise<Scratch> {
  const elsewhere = await unpackPrefix(cache);
  const base = unpackBase();
  await sweepScratch(cache);
  const folder = join(cache, `${BUILDING}${process.pid}-${randomBytes(4).toString('hex')}`);
  const passable = await everyoneMayPass(cache);
  const unpack = passable ? join(folder, 'unpack') : join(base, elsewhere + randomBytes(4).toString('hex'));
  await requireSpace(cache, bytesNeeded, 'PMVX_CACHE');
  if (!passable) await requireSpace(base, Math.min(bytesNeeded, UNPACK_BYTES), 'TMPDIR');
  await mkdir(folder, { mode: 0o755 });
  await mkdir(unpack, { mode: 0o755 });
  return {
    folder,
    unpack,
    async remove() {
      await removeTree(unpack);
      await removeTree(folder);
    },
  };
}

/**
 * apt fetches as the user _apt, and in a user namespace root is nobody special outside it: below a private home folder
 * neither gets in.
 */
async function everyoneMayPass(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & 0o001) === 0) return false;
  const above = dirname(folder);
  return above === folder || everyoneMayPass(above);
}

async function removeMatching(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix)) await removeTree(join(folder, name));
  }
}

/** Removes a folder in which files may belong to the subordinate users of a namespace. */
async function removeTree(path: string): Promise<void> {
  // What was killed a moment ago may still write one more file.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 } as const;
  try {
    await rm(path, options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (process.getuid?.() === 0 || (code !== 'EACCES' && code !== 'EPERM')) throw error;
    await execa('unshare', ['--user', '--map-root-user', '--map-auto', 'rm', '-rf', '--', path]);
    await rm(path, options);
  }
}

async function requireSpace(folder: string, bytes: number, variable: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new PmvxError(ExitCode.environment, {
    where: folder,
    what: `building an image takes ${gib(bytes)} GiB of disk here, ${gib(free)} GiB are free`,
    next: `Free some space, or set ${variable} to a folder on another disk`,
  });
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
