// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { RunScene } from './scene.ts';

/** What must not be there once a run has ended: half-written files, locks, scratch. */
const TEMPORARY =
  /\.tmp$|^\.(?:partial|gone|lock|probe)-|^run\.lock|^fork-point$|^mailbox$|^data$|^building-/;
/** A snapshot keeps what its machine said under that name. */
const KEPT = /^cache\/snapshots\/[0-9a-f]{16}\/data$/;

/** Temporary files that a scene's processes have left, relative to its folder. */
export function leftIn({ folder }: Pick<RunScene, 'folder'>): string[] {
  return [...below(folder, 'disk'), ...below(folder, 'cache'), ...below(folder, 'tmp')].filter(
    (path) =>
      path.startsWith('tmp/') || (TEMPORARY.test(path.slice(path.lastIndexOf('/') + 1)) && !KEPT.test(path)),
  );
}

/** All names below a folder; symbolic links are not followed. */
function below(folder: string, name: string): string[] {
  try {
    return readdirSync(join(folder, name), { recursive: true, withFileTypes: true }).map((entry) =>
      relative(folder, join(entry.parentPath, entry.name)),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
