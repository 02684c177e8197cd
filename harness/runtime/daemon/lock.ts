// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ExitCode, PmvxError } from '../../core/errors.ts';

export interface Lock {
  release(): void;
}

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR, O_TRUNC } = constants;
/** A place that others may write to cannot make it another file, or have it wait. */
const OWN = O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK;

/**
 * Takes the lock at `path`, or throws with who has it. The file is its owner's alone, for whoever may read it could hold a lock on it, too. SQLite holds it by record locks (fcntl(2)), which the kernel drops with the
 * process, however that ends: there is never a stale one.
 */
export function takeLock(path: string, next = 'pmvx autotune status shows it'): Lock {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    makeOwn(path);
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    db?.close();
    const { errcode } = error as { errcode?: number };
    const busy = errcode === 5 || errcode === 6;
    const what = busy
      ? `another pmvx autotune has this place${holder(path)}`
      : `the lock cannot be taken: ${(error as Error).message}`;
    const advice = busy ? next : 'Check that the folder can be written';
    throw new PmvxError(ExitCode.environment, { where: path, what, next: advice }, { cause: error });
  }
  try {
    const file = openSync(`${path}.pid`, OWN | O_TRUNC, 0o644);
    writeFileSync(
      file,
      `${process.pid}
`,
    );
    closeSync(file);
  } catch {
    // Only to tell others who has it.
  }
  const held = db;
  return { release: () => held.close() };
}

function makeOwn(path: string): void {
  const file = openSync(path, OWN, 0o600);
  try {
    if (!fstatSync(file).isFile()) throw new Error('it is no file');
    fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

function holder(path: string): string {
  try {
    return ` (process ${readFileSync(`${path}.pid`, 'utf8').trim()})`;
  } catch {
    return '';
  }
}

/** Takes all of them or none; two names of one place are one lock. */
export function takeLocks(paths: readonly string[], next?: string): Lock {
  const locks: Lock[] = [];
  const release = () => {
    for (const lock of locks.toReversed()) lock.release();
  };
  try {
    for (const path of new Set(paths)) locks.push(takeLock(path, next));
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}
