// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Files that match a pattern below `root`, those up to `most` bytes, in the order of their names. */
export function filesAt(root: string, pattern: string, most = 65_536): Buffer[] {
  return globSync(pattern, { cwd: root })
    .sort()
    .map((path) => join(root, path))
    .filter((path) => statSync(path).size <= most)
    .map((path) => readFileSync(path));
}
