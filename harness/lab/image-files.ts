// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Names of an image's parts inside its folder. */
export const IMAGE_FILES = {
  manifest: 'manifest.json',
  kernel: 'vmlinux',
  initrd: 'initrd.cpio',
  root: 'root.ext4',
  plugin: 'slice.so',
  packages: 'packages.json',
  /** The recorder of traces, a static program: for the host; the guest has it in its root. */
  recorder: 'record',
  /** BPF objects of bpf/probes, by set: `cpu.bpf.o`. */
  probes: 'probes',
  /** QEMU with its libraries and firmware: `bin`, `lib`, `share`. */
  qemu: 'qemu',
  /** Written after the build, by the self-test; not part of the digest. */
  selfTest: 'selftest.json',
} as const;

/** Where images, roots and build logs are kept: PMVX_CACHE, or `pmvx` in the user's cache folder. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  if (env.PMVX_CACHE) return env.PMVX_CACHE;
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'pmvx');
}

/** SHA-256 of a file, hexadecimal. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Paths of all files below `folder`, relative to it, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
