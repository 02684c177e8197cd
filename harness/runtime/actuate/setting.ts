// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';

/** Reads a setting of the kernel: of a list with one choice in brackets, the choice. */
export function readSetting(path: string): string {
  const [line = ''] = readFileSync(path, 'utf8').split('\n');
  const [, choice] = /\[([^\]]*)\]/.exec(line) ?? [];
  return (choice ?? line).trim();
}

/** Writes a setting and reads it back; throws in words when the kernel did not take it. */
export function writeSetting(path: string, value: string, reads = value): void {
  try {
    writeFileSync(path, value, { flag: 'r+' });
  } catch (error) {
    throw new Error(`${path} refused ${JSON.stringify(value)}: ${(error as NodeJS.ErrnoException).code}`);
  }
  const now = readSetting(path);
  if (now !== reads) {
    throw new Error(
      `${path} reads ${JSON.stringify(now)} after ${JSON.stringify(value)} was written, wanted ${JSON.stringify(reads)}`,
    );
  }
}
