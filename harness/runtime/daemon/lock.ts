// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ExitCode, PmvxError } from '../../core/errors.ts';

export interface Lock {
  release(): void;
}

/**
 * Takes the lock at `path`, or throws with who has it. SQLite holds it by record locks (fcntl(2)), which the kernel drops with the
 * process, however that ends: there is never a stale one.
 */
export function takeLock(path: string): Lock {
  mkdirSync(dirname(path), { recursive: true });
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    db?.close();
    const { errcode } = error as { errcode?: number };
    const busy = errcode === 5 || errcode === 6;
    const what = busy
      ? `another pmvx autotune runs on this machine${holder(path)}`
      : `the lock cannot be taken: ${(error as Error).message}`;
    const next = busy ? 'pmvx autotune status shows it' : 'Check that the folder can be written';
    throw new PmvxError(ExitCode.environment, { where: path, what, next }, { cause: error });
  }
  try {
    writeFileSync(`${path}.pid`, `${process.pid}\n`);
  } catch {
    // Only to tell others who has it.
  }
  const held = db;
  return { release: () => held.close() };
}

function holder(path: string): string {
  try {
    return ` (process ${readFileSync(`${path}.pid`, 'utf8').trim()})`;
  } catch {
    return '';
  }
}
