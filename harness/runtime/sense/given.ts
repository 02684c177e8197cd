// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const { O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** A number has fewer characters. */
const MOST = 64;

/**
 * The number that an application lets grow with its work; undefined when there is none. The path is the application's: what is there may be a pipe or
 * a link, and is then no number, and nothing that the daemon waits for.
 */
export function readGiven(path: string): number | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (!fstatSync(file).isFile()) return undefined;
    const bytes = Buffer.alloc(MOST + 1);
    const length = readSync(file, bytes, 0, bytes.length, 0);
    const text = bytes.toString('latin1', 0, length).trim();
    return length <= MOST && /^\d+(?:\.\d+)?(?:e\+?\d{1,2})?$/i.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
