// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { lstat, readFile, readlink, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileDigest, filesBelow } from '../../harness/lab/image-files.ts';

/** A build makes these in a root while it works in it. */
const NOT_KEPT = /^(?:build|dev|proc|sys|tmp|run|var\/tmp)\/|^etc\/resolv\.conf$/;

/**
 * Notes beside `path`, a file or a folder that builds keep for each other, what every file of it is: `<path>.sums`, a line each, its digest and its name. `content`
 * is where it lies until it is moved to `path`.
 */
export async function keepSums(path: string, content = path): Promise<void> {
  const beside = `${sumsPath(path)}.tmp`;
  const lines = [...(await sumsOf(content))].map(([name, digest]) => `${digest}  ${name}\n`);
  await writeFile(beside, lines.join(''), { flush: true });
  await rename(beside, sumsPath(path));
}

/**
 * Whether what is kept at `path` is what was kept: undefined, or in words what is not. What was kept before there were sums gets them now.
 */
export async function changeSince(path: string): Promise<string | undefined> {
  const text = await readFile(sumsPath(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (text === undefined) {
    await keepSums(path);
    return undefined;
  }
  const found = await sumsOf(path);
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, digest, name = ''] = /^(\S+) {2}(.*)$/.exec(line) ?? [];
    const now = found.get(name);
    if (now === undefined) return `${join(path, name)} is gone`;
    if (now !== digest) return `${join(path, name)} is not what was kept`;
  }
  return undefined;
}

function sumsPath(path: string): string {
  return `${path}.sums`;
}

/** Digest by name of each file below `path`, or of the file itself, whose name is `.`. */
async function sumsOf(path: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const names = (await stat(path)).isDirectory() ? await filesBelow(path) : ['.'];
  for (const name of names) {
    // A name with a line end would be two lines; no package has one.
    if (NOT_KEPT.test(name) || name.includes('\n')) continue;
    const digest = await digestOf(join(path, name));
    if (digest !== undefined) found.set(name, digest);
  }
  return found;
}

/** Undefined for what is neither file nor symbolic link, and for what only another user may read. */
async function digestOf(path: string): Promise<string | undefined> {
  const status = await lstat(path);
  if (status.isSymbolicLink()) {
    return `link-${createHash('sha256')
      .update(await readlink(path))
      .digest('hex')}`;
  }
  if (!status.isFile()) return undefined;
  return fileDigest(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES') throw error;
    return undefined;
  });
}
