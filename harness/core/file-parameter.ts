// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { shortDigest } from './ids.ts';

/** The value of a parameter of type `file`: a path, below the project's root or absolute, and the digest of the file's content. */
export const FILE_VALUE = /^(?<path>[^\0\n]{1,4096})@(?<digest>[0-9a-f]{16})$/;

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * Names a file by path and content, so that two contents are never taken for one. `given` is a path as seen from the current folder
 * or from the project's root, or a value that was made here before: then the content must be the same still. Throws RangeError, its
 * message the rest of a sentence.
 */
export function namedFile(given: string, maxBytes: number): string {
  const { path: named = given, digest } = FILE_VALUE.exec(given)?.groups ?? {};
  const path = [resolve(named), resolve(ROOT, named)].find((each) => existsSync(each));
  if (path === undefined) throw new RangeError(`must be a file; there is no ${JSON.stringify(named)}`);
  const status = statSync(path);
  if (!status.isFile()) throw new RangeError(`must be a file; ${JSON.stringify(named)} is none`);
  if (status.size > maxBytes) {
    throw new RangeError(`must have at most ${maxBytes} bytes; ${JSON.stringify(named)} has ${status.size}`);
  }
  const seen = shortDigest(readFileSync(path));
  if (digest !== undefined && digest !== seen) {
    throw new RangeError(`must have digest ${digest}; ${JSON.stringify(named)} has changed and has ${seen}`);
  }
  const inside = relative(ROOT, path);
  return `${inside.startsWith('..') || isAbsolute(inside) ? path : inside}@${seen}`;
}

/** Where a named file is on this machine. */
export function pathOfFile(value: string): string {
  return resolve(ROOT, FILE_VALUE.exec(value)?.groups?.path ?? value);
}

/** The content of a file that was named; throws RangeError when it is not there or not the same any more. */
export function readNamedFile(value: string): Buffer {
  const { path, digest } = FILE_VALUE.exec(value)?.groups ?? {};
  if (path === undefined) throw new RangeError(`${JSON.stringify(value)} names no file`);
  const content = readFileSync(pathOfFile(value));
  const seen = shortDigest(content);
  if (seen !== digest) throw new RangeError(`${path} has changed: its digest was ${digest} and is ${seen}`);
  return content;
}
