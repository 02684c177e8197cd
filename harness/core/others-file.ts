// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Text of a small file that others may own, so that it can be anything: no link is followed, nothing but a regular file is read, none is waited
 * for, and never more than `most` bytes.
 * @throws what open(2) says, or that it is no regular file or too long.
 */
export function readOthersFile(path: string, most: number): string {
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) throw new Error(`${path} is no regular file`);
    const bytes = Buffer.alloc(most + 1);
    const length = readSync(file, bytes, 0, most + 1, 0);
    if (length > most) throw new Error(`${path} has more than ${most} bytes`);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}
