// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './atomic-write.ts';
import { storageFault } from './storage-fault.ts';

/** Bytes that are gathered before they are written. */
const CHUNK = 1024 * 1024;

/** A file that is written piece by piece and takes the place of the old one as one step, at `commit`. */
export class AtomicStream {
  readonly #path: string;
  readonly #beside: string;
  readonly #handle: FileHandle;
  #pending: Buffer[] = [];
  #bytes = 0;

  private constructor(path: string, beside: string, handle: FileHandle) {
    this.#path = path;
    this.#beside = beside;
    this.#handle = handle;
  }

  static async open(path: string): Promise<AtomicStream> {
    const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      return new AtomicStream(path, beside, await open(beside, 'wx', 0o644));
    } catch (error) {
      throw storageFault(error, 'write', path);
    }
  }

  async write(data: string | Buffer): Promise<void> {
    const bytes = Buffer.from(data);
    this.#pending.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= CHUNK) await this.#flush();
  }

  /** The file is on disk, under its name, when this resolves. */
  async commit(): Promise<void> {
    await this.#flush();
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#beside, this.#path);
      await syncFolder(dirname(this.#path));
    } catch (error) {
      throw storageFault(error, 'write', this.#path);
    }
  }

  /** Leaves the old file as it is; nothing happens after `commit`. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#beside, { force: true });
  }

  async #flush(): Promise<void> {
    const data = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#bytes = 0;
    try {
      await this.#handle.writeFile(data);
    } catch (error) {
      throw storageFault(error, 'write', this.#path);
    }
  }
}
