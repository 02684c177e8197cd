// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replaces a small file: written beside, synced, renamed, so that whoever reads it, also after a crash, finds one or the other. */
export function writeStateFile(path: string, value: unknown): void {
  writeTextFile(path, `${JSON.stringify(value)}\n`);
}

/** As `writeStateFile`, of any text; others may read it. */
export function writeTextFile(path: string, text: string): void {
  // A name that nobody can know beforehand, and that must not be there: others may write to the folder, too.
  const beside = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = openSync(beside, 'wx', 0o644);
    try {
      const bytes = Buffer.from(text);
      let written = 0;
      while (written < bytes.length) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** The value of a file that `writeStateFile` wrote; undefined when there is none, or it holds something else. */
export function readStateFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
