// SPDX-License-Identifier: Apache-2.0
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** From when on a write that is under way is a disk that does not answer, ms. */
const SLOW_MS = 1000;

/**
 * Writes to the disk, one after the other, none on the thread of the loop: a disk that does not answer holds up later writes, and nothing
 * else. Whoever must know that something is written waits no longer than it says.
 */
export class Disk {
  #last: Promise<unknown> = Promise.resolve();
  #sinceMs: number | undefined;

  /** Runs when all earlier writes are done; a failure is the caller's, and holds nobody up. */
  later<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      this.#sinceMs = performance.now();
      try {
        return await work();
      } finally {
        this.#sinceMs = undefined;
      }
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Whether all was written within `ms`. */
  idle(ms: number): Promise<boolean> {
    return within(this.#last, ms);
  }

  /** That a write has been under way for too long. */
  get fault(): string | undefined {
    const ms = this.#sinceMs === undefined ? 0 : performance.now() - this.#sinceMs;
    return ms < SLOW_MS ? undefined : `the disk has not answered for ${(ms / 1000).toFixed(0)} s`;
  }
}

/** Whether it came to its end, whichever, within `ms`. */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const ended = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Replaces a small file: written beside, synced, renamed, so that whoever reads it, also after a crash, finds one or the other. */
export async function replaceFile(path: string, value: unknown): Promise<void> {
  const beside = `${path}.new`;
  try {
    const file = await open(beside, 'w', 0o640);
    try {
      await file.writeFile(`${JSON.stringify(value)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await syncFolder(path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Makes a file's name as lasting as its content. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
