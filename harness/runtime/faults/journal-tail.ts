// SPDX-License-Identifier: Apache-2.0
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import type { JournalLine } from '../contracts.ts';
import { parseLine } from '../journal/read.ts';

const CHUNK = 1 << 16;

/** Follows a journal that is not rotated: each call reads what has come since the last. Decisions to stay are left out. */
export class JournalTail {
  readonly #path: string;
  readonly #lines: JournalLine[] = [];
  readonly #seen = new Set<string>();
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** All lines that tell of something done, oldest first; those in the reserve stand after those in the journal. */
  lines(): readonly JournalLine[] {
    if (existsSync(this.#path)) this.#readOn();
    if (existsSync(`${this.#path}.reserve`))
      for (const text of readFileSync(`${this.#path}.reserve`, 'utf8').split('\n')) this.#take(text);
    return this.#lines;
  }

  #readOn(): void {
    const file = openSync(this.#path, 'r');
    const bytes = Buffer.alloc(CHUNK);
    for (;;) {
      const length = readSync(file, bytes, 0, CHUNK, this.#offset);
      if (length === 0) break;
      this.#offset += length;
      const texts = (this.#rest + bytes.toString('latin1', 0, length)).split('\n');
      this.#rest = texts.pop() as string;
      for (const text of texts) this.#take(Buffer.from(text, 'latin1').toString('utf8'));
    }
    closeSync(file);
  }

  #take(text: string): void {
    const line = parseLine(text);
    if (line === undefined || (line.kind === 'decision' && line.action.kind === 'stay')) return;
    const name = `${line.life}/${line.seq}`;
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    this.#lines.push(line);
  }
}
