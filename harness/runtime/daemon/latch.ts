// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { writeStateFile } from './state-file.ts';

/** The kill switch: a file that stays, also over restarts, until somebody says `resume`. Anybody who may write there can make it, `touch` is enough. */
export class Latch {
  readonly path: string;
  #why: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Why it is latched; undefined when it is not. */
  read(): string | undefined {
    if (this.#why !== undefined) return this.#why;
    if (!existsSync(this.path)) return undefined;
    try {
      const { why } = JSON.parse(readFileSync(this.path, 'utf8')) as { why?: unknown };
      return typeof why === 'string' ? why : `${this.path} is there`;
    } catch {
      return `${this.path} is there`;
    }
  }

  set(why: string): void {
    // Also where the disk takes nothing: then for this life of the daemon.
    this.#why = why;
    try {
      writeStateFile(this.path, { why });
    } catch {
      return;
    }
    this.#why = undefined;
  }

  clear(): void {
    this.#why = undefined;
    rmSync(this.path, { force: true });
  }
}
