// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';
import type { ReadyImage } from '../../harness/lab/image.ts';
import { IMAGE_FILES } from '../../harness/lab/image-files.ts';

const Packages = z.record(
  z.string(),
  z.object({ version: z.string(), architecture: z.string(), sha256: z.string() }),
);
const PackageFile = z.object({ guest: Packages, tools: Packages });

const LockSchema = PackageFile.extend({
  v: z.literal(1),
  recipe: z.string(),
  guestKernel: z.string(),
  qemuVersion: z.string(),
});

/**
 * What an image was made of: every package of both roots with version and SHA-256 of its archive, "-" where the archive's
 * lists name none. A record of one build, not a demand on the next: Debian's backports drop old versions.
 */
export type PackageLock = z.infer<typeof LockSchema>;

/** Where the committed lock of a recipe is, relative to the project. */
export function lockPath(recipe: string): string {
  return `vm-images/locks/${recipe}.json`;
}

/** The lock that says what `image` is made of. */
export async function lockOf(image: ReadyImage): Promise<PackageLock> {
  const path = join(image.folder, IMAGE_FILES.packages);
  const { recipe, guestKernel, qemuVersion } = image.manifest;
  const packages = parse(PackageFile, await readFile(path, 'utf8'), path, 'Build the image anew');
  return { v: 1, recipe, guestKernel, qemuVersion, ...packages };
}

/** The committed lock of a recipe; undefined when there is none. */
export async function readLock(root: string, recipe: string): Promise<PackageLock | undefined> {
  const path = lockPath(recipe);
  const text = await readFile(join(root, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (text === undefined) return undefined;
  return parse(LockSchema, text, path, `Write it anew: \`./pmvx image lock ${recipe}\``);
}

function parse<T>(schema: z.ZodType<T>, text: string, where: string, next: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PmvxError(ExitCode.image, { where, what: 'this list of packages is damaged', next }, { cause });
  }
}

/** The text of a lock, a line a package, sorted: what changes between two builds is what a diff shows. */
export function formatLock(lock: PackageLock): string {
  const { guest, tools, ...head } = lock;
  const facts = Object.entries(head).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`);
  const roots = Object.entries({ guest, tools }).map(([name, packages]) => {
    const rows = Object.entries(packages)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([key, { version, architecture, sha256 }]) =>
          `  ${JSON.stringify(key)}: ${JSON.stringify({ version, architecture, sha256 })}`,
      );
    return ` "${name}": {\n${rows.join(',\n')}\n }`;
  });
  return `{\n ${facts.join(',\n ')},\n${roots.join(',\n')}\n}\n`;
}

/** What differs between a lock and what was installed, a few words a package: `guest perf: 7.3 -> 7.4`. */
export function lockDifferences(locked: PackageLock, installed: PackageLock): string[] {
  return (['guest', 'tools'] as const).flatMap((root) => {
    const names = new Set([...Object.keys(locked[root]), ...Object.keys(installed[root])]);
    return [...names].sort().flatMap((name) => {
      const [was, is] = [locked[root][name], installed[root][name]];
      if (was === undefined) return [`${root} ${name}: new, ${is?.version}`];
      if (is === undefined) return [`${root} ${name}: gone, was ${was.version}`];
      if (was.version !== is.version) return [`${root} ${name}: ${was.version} -> ${is.version}`];
      return was.sha256 === is.sha256 ? [] : [`${root} ${name}: another archive of ${is.version}`];
    });
  });
}

/** How `installed` compares with the committed lock, in one line. */
export function lockWords(locked: PackageLock | undefined, installed: PackageLock): string {
  const path = lockPath(installed.recipe);
  if (locked === undefined)
    return `no lock to compare with: \`./pmvx image lock ${installed.recipe}\` writes ${path}`;
  const count = Object.keys(installed.guest).length + Object.keys(installed.tools).length;
  const differences = lockDifferences(locked, installed);
  if (differences.length === 0) return `all ${count} packages are those of ${path}`;
  const shown = differences.slice(0, 3).join('; ');
  const rest = differences.length > 3 ? '; ...' : '';
  return `${differences.length} of ${count} packages differ from ${path}: ${shown}${rest}`;
}
