// SPDX-License-Identifier: Apache-2.0
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileFacts, sparseDigest } from './digest.ts';
import { ramFile, SNAPSHOT_FILES, type SnapshotManifest } from './manifest.ts';

/** No machine goes on without these. */
const NEEDED = [ramFile(0), SNAPSHOT_FILES.state, SNAPSHOT_FILES.data, SNAPSHOT_FILES.console];

/**
 * What changes when anybody writes to one of the files or replaces it: cheap to read, so that digests are computed once a
 * process. In words what is wrong when a file is not there or has another size.
 */
export async function fingerprint(
  folder: string,
  manifest: SnapshotManifest,
): Promise<{ readonly print: string } | { readonly fault: string }> {
  const prints: string[] = [];
  for (const name of [...Object.keys(manifest.files).sort(), SNAPSHOT_FILES.manifest]) {
    const found = await stat(join(folder, name), { bigint: true }).catch(missing);
    if (found === undefined || !found.isFile()) return { fault: `${name}: missing` };
    const expected = manifest.files[name]?.size;
    if (expected !== undefined && found.size !== BigInt(expected)) {
      return { fault: `${name}: ${found.size} bytes instead of ${expected}` };
    }
    prints.push([name, found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' '));
  }
  return { print: prints.join('\n') };
}

/** Computes every digest: the fingerprint of the files that were found whole, or in words what is wrong. */
export async function verify(
  folder: string,
  manifest: SnapshotManifest,
): Promise<{ readonly print: string } | { readonly fault: string }> {
  const absent = NEEDED.find((name) => !Object.hasOwn(manifest.files, name));
  if (absent !== undefined) return { fault: `${SNAPSHOT_FILES.manifest}: does not name ${absent}` };
  const before = await fingerprint(folder, manifest);
  if ('fault' in before) return before;
  for (const [name, { digest }] of Object.entries(manifest.files)) {
    const found = await sparseDigest(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      // Others (too many open files, no permission) say nothing about the snapshot.
      if (error.code === 'ENOENT' || error.code === 'EIO') return error.code;
      throw error;
    });
    if (typeof found === 'string') return { fault: `${name}: cannot be read (${found})` };
    if (found.digest !== digest) return { fault: `${name}: digest differs` };
  }
  const after = await fingerprint(folder, manifest);
  if ('print' in after && after.print !== before.print)
    return { fault: 'its files changed while they were read' };
  return after;
}

/** Syncs the files of a new snapshot and computes their digests. */
export async function describeFiles(folder: string): Promise<Record<string, FileFacts>> {
  const names = (await readdir(folder)).sort();
  const absent = NEEDED.filter((name) => !names.includes(name));
  if (absent.length > 0) throw new Error(`a snapshot was made without ${absent.join(', ')}`);
  for (const name of names) await syncPath(join(folder, name));
  const before = await writeTimes(folder, names);
  const files: Record<string, FileFacts> = {};
  for (const name of names) files[name] = await sparseDigest(join(folder, name));
  if ((await writeTimes(folder, names)) !== before)
    throw new Error(`a snapshot was still written to while it was kept`);
  return files;
}

/** After a sync the next write, also one through a mapping, changes them. */
async function writeTimes(folder: string, names: readonly string[]): Promise<string> {
  const found = await Promise.all(names.map((name) => stat(join(folder, name), { bigint: true })));
  return found.map(({ size, mtimeNs, ctimeNs }) => `${size} ${mtimeNs} ${ctimeNs}`).join('\n');
}

/** Makes the bytes of a file, or the names in a folder, survive a power cut. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
