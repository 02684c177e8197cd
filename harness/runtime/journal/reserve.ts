// SPDX-License-Identifier: Apache-2.0
import { close, fdatasync, fstatSync, openSync, read, readSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';

const sync = promisify(fdatasync);
const readAt = promisify(read);
const writeAt = promisify(write);

/** Room for some hundred lines that tell of something done. */
const SIZE = 256 * 1024;

/**
 * A file of newlines, written once, that lines are later written over: where blocks are there already a full disk takes them all the
 * same (not on file systems that never overwrite, such as btrfs).
 */
export class Reserve {
  readonly #file: number;
  #used: number;

  private constructor(file: number) {
    const bytes = Buffer.alloc(SIZE);
    this.#file = file;
    this.#used = Buffer.byteLength(textOf(bytes, readSync(file, bytes, 0, SIZE, 0)));
  }

  static open(path: string): Reserve {
    const file = openHeld(path);
    const size = fstatSync(file).size;
    if (size < SIZE) fill(file, size);
    return new Reserve(file);
  }

  /** False when there is no room. */
  async add(line: string): Promise<boolean> {
    const bytes = Buffer.from(line);
    if (this.#used + bytes.length > SIZE) return false;
    try {
      await writeAll(this.#file, bytes, this.#used);
    } catch {
      return false;
    }
    this.#used += bytes.length;
    return true;
  }

  /** The lines that are held, each with its newline; none is an empty text. */
  async text(): Promise<string> {
    if (this.#used === 0) return '';
    const bytes = Buffer.alloc(SIZE);
    const { bytesRead } = await readAt(this.#file, bytes, 0, SIZE, 0);
    return textOf(bytes, bytesRead);
  }

  async clear(): Promise<void> {
    if (this.#used === 0) return;
    await writeAll(this.#file, Buffer.alloc(this.#used, '\n'), 0);
    this.#used = 0;
  }

  async sync(): Promise<void> {
    if (this.#used > 0) await sync(this.#file);
  }

  async close(): Promise<void> {
    await promisify(close)(this.#file);
  }
}

function openHeld(path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return openSync(path, 'w+', 0o640);
  }
}

function textOf(bytes: Buffer, length: number): string {
  const text = bytes.toString('utf8', 0, length).trimEnd();
  return text === '' ? '' : `${text}\n`;
}

/** At the start, when the disk may be waited for. */
function fill(file: number, from: number): void {
  const bytes = Buffer.alloc(SIZE - from, '\n');
  let written = 0;
  while (written < bytes.length)
    written += writeSync(file, bytes, written, bytes.length - written, from + written);
}

async function writeAll(file: number, bytes: Buffer, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await writeAt(file, bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}
