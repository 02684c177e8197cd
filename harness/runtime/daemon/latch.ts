// SPDX-License-Identifier: Apache-2.0
import { existsSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { readOthersFile } from '../../core/others-file.ts';
import { Disk, replaceFile, syncFolder } from './disk.ts';

/** Bytes of the reserve: room for the reason, on a block that is there already. */
const SIZE = 4096;
/** How long `clear` waits for the disk, ms. */
const CLEAR_MS = 2000;

/**
 * The kill switch: a file that stays, also over restarts, until somebody says `resume`. Anybody who may write there can make it, `touch` is enough.
 * Its block is reserved beforehand, so that a full disk takes it all the same; the disk is never waited for when it is set.
 */
export class Latch {
  readonly path: string;
  readonly #disk: Disk;
  /** What was said last, until the disk has it: a reason, or that it is open. */
  #news: { readonly why: string | undefined } | undefined;
  /** Why the file is not as it should be. */
  fault: string | undefined;

  constructor(path: string, disk = new Disk()) {
    this.path = path;
    this.#disk = disk;
  }

  /** Makes room for the file; what that throws is a fault. */
  reserve(): void {
    if (existsSync(this.path)) return;
    try {
      writeFileSync(this.#reserve, ' '.repeat(SIZE), { mode: 0o600, flush: true });
      this.fault = undefined;
    } catch (error) {
      this.fault = `no room could be reserved for the kill switch at ${this.path}: ${(error as Error).message}`;
    }
  }

  /** Why it is latched; undefined when it is not. */
  read(): string | undefined {
    if (this.#news !== undefined) return this.#news.why;
    if (!existsSync(this.path)) return undefined;
    try {
      const { why } = JSON.parse(readOthersFile(this.path, SIZE)) as { why?: unknown };
      return typeof why === 'string' ? why : `${this.path} is there`;
    } catch {
      return `${this.path} is there`;
    }
  }

  /** Holds at once, and on the disk as soon as that takes it; where it does not, for this life of the daemon, which `fault` says. */
  set(why: string): void {
    const text = why.slice(0, SIZE / 8);
    const news = { why: text };
    this.#news = news;
    void this.#disk
      .later(() => this.#write(text))
      .then(
        () => this.#settle(news),
        (error: Error) => {
          this.fault = `the kill switch is latched for this life of the daemon alone, as ${this.path} cannot be written: ${error.message}`;
        },
      );
  }

  /** Opens it at once; resolves when the file is gone, or the disk does not answer. */
  async clear(): Promise<void> {
    const news = { why: undefined };
    this.#news = news;
    const gone = this.#disk
      .later(() => rm(this.path, { force: true }))
      .then(
        () => {
          this.reserve();
          this.#settle(news);
        },
        (error: Error) => {
          this.fault = `the kill switch is open for this life of the daemon alone, as ${this.path} cannot be removed: ${error.message}`;
        },
      );
    await Promise.race([gone, this.#disk.idle(CLEAR_MS)]);
  }

  get #reserve(): string {
    return `${this.path}.reserve`;
  }

  async #write(why: string): Promise<void> {
    const text = `${JSON.stringify({ why })}\n`;
    if (!existsSync(this.#reserve)) return replaceFile(this.path, { why });
    const file = await open(this.#reserve, 'r+');
    try {
      await file.write(text.padEnd(SIZE), 0);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(this.#reserve, this.path);
    await syncFolder(this.path);
  }

  #settle(news: { readonly why: string | undefined }): void {
    this.fault = undefined;
    if (this.#news === news) this.#news = undefined;
  }
}
