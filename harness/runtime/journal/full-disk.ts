// SPDX-License-Identifier: Apache-2.0
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * That a journal cannot grow, told before its last page, which may take some lines yet, is full. Blocks that are kept for root count as free: the
 * daemon is root. A file system that does not count its blocks says nothing.
 */
export function fullDisk(path: string, look: (folder: string) => Blocks = statfsSync): string | undefined {
  try {
    const { blocks, bfree } = look(dirname(path));
    return blocks > 0 && bfree === 0 ? `the journal cannot grow: no space is left beside ${path}` : undefined;
  } catch {
    return undefined;
  }
}

interface Blocks {
  readonly blocks: number;
  readonly bfree: number;
}
