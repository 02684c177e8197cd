// SPDX-License-Identifier: Apache-2.0
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

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
    this.#file = file;
    this.#used = 0;
    this.#used = Buffer.byteLength(this.text());
  }

  static open(path: string): Reserve {
    const file = openHeld(path);
    const size = fstatSync(file).size;
    if (size < SIZE) writeAll(file, Buffer.alloc(SIZE - size, '\n'), size);
    return new Reserve(file);
  }

  /** False when there is no room. */
  add(line: string): boolean {
    const bytes = Buffer.from(line);
    if (this.#used + bytes.length > SIZE) return false;
    try {
      writeAll(this.#file, bytes, this.#used);
    } catch {
      return false;
    }
    this.#used += bytes.length;
    return true;
  }

  /** The lines that are held, each with its newline; none is an empty text. */
  text(): string {
    const bytes = Buffer.alloc(SIZE);
    const length = readSync(this.#file, bytes, 0, SIZE, 0);
    const text = bytes.toString('utf8', 0, length).trimEnd();
    return text === '' ? '' : `${text}\n`;
  }

  clear(): void {
    if (this.#used === 0) return;
    writeAll(this.#file, Buffer.alloc(this.#used, '\n'), 0);
    this.#used = 0;
  }

  sync(): void {
    if (this.#used > 0) fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
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

function writeAll(file: number, bytes: Buffer, at: number): void {
  let written = 0;
  while (written < bytes.length)
    written += writeSync(file, bytes, written, bytes.length - written, at + written);
}
