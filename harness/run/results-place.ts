// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResultsPlace } from './preflight.ts';

/** The real file system. */
export const resultsPlace: ResultsPlace = {
  async probe(folder) {
    await mkdir(folder, { recursive: true });
    const file = join(folder, `.probe-${process.pid}.tmp`);
    try {
      await writeFile(file, 'x');
    } finally {
      await rm(file, { force: true });
    }
  },
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
  async availableMiB() {
    return availableOf(await readFile('/proc/meminfo', 'utf8'));
  },
};

/** MiB that programs may still take, of the text of /proc/meminfo; infinite when it does not say. */
export function availableOf(meminfo: string): number {
  const words = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo);
  return words === null ? Number.POSITIVE_INFINITY : Number(words[1]) / 1024;
}
