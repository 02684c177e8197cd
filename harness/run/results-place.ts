// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResultsPlace } from './preflight.ts';

/** The real file system. */
export const resultsPlace: ResultsPlace = {
  async probe(folder) {
    await mkdir(folder, { recursive: true });
    const file = join(folder, `.probe-${process.pid}.tmp`);
    await writeFile(file, 'x');
    await rm(file);
  },
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
};
