// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { Decision, Event, Intent, JournalLine } from '../contracts.ts';
import type { Clock } from '../sense/clock.ts';
import { Reserve } from './reserve.ts';

export interface JournalOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Names this life of the daemon. */
  readonly life: string;
  /** Bytes after which a new file is begun. */
  readonly mostBytes: number;
  /** Full files that are kept beside it, `.1` the newest. */
  readonly keep: number;
}

type Stamped = 'v' | 'seq' | 'life' | 'at' | 'monotonicNs';
/** A line as its author writes it; the journal numbers and stamps it. */
export type NewLine = Omit<Decision, Stamped> | Omit<Intent, Stamped> | Omit<Event, Stamped>;

/** Lines that are kept in memory for `decisions` and `explain`. */
const REMEMBERED = 512;
const sync = promisify(fdatasync);

/**
 * Decisions as JSON lines, appended whole or not at all. When the disk takes no more, what was done goes into a reserve whose blocks were
 * written before, and into the journal as soon as it takes lines again; windows in which nothing was done are lost, and counted.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #reserve: Reserve;
  readonly #recent: JournalLine[] = [];
  #file: number;
  #size: number;
  #seq = 0;
  #lost = 0;
  /** Why lines cannot be written now; undefined when they can. */
  fault: string | undefined;

  private constructor(options: JournalOptions, file: number, reserve: Reserve) {
    this.#options = options;
    this.#file = file;
    this.#size = fstatSync(file).size;
    this.#reserve = reserve;
  }

  static open(options: JournalOptions): Journal {
    try {
      const file = openSync(options.path, 'a+', 0o640);
      endLine(file);
      const journal = new Journal(options, file, Reserve.open(`${options.path}.reserve`));
      journal.#heal();
      return journal;
    } catch (error) {
      throw new PmvxError(
        ExitCode.environment,
        {
          where: options.path,
          what: `the journal cannot be written: ${(error as Error).message}`,
          next: 'Choose another place with --journal, or mend this one',
        },
        { cause: error },
      );
    }
  }

  /** The last lines of this life, oldest first. */
  get recent(): readonly JournalLine[] {
    return this.#recent;
  }

  /** Numbers, stamps and appends a line. Never throws: `fault` says when it went to the reserve, or was lost. */
  write(line: NewLine): JournalLine {
    const { clock, life } = this.#options;
    const stamps = { v: 1 as const, seq: this.#seq++, life, at: clock.stamp(), monotonicNs: clock.nowNs() };
    const whole = { ...stamps, ...line } as JournalLine;
    this.#recent.push(whole);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    const text = `${JSON.stringify(whole)}\n`;
    if (this.fault !== undefined) this.#heal();
    if (this.fault === undefined) {
      try {
        this.#append(text);
        return whole;
      } catch (error) {
        this.fault = `the journal takes no lines: ${(error as Error).message}`;
      }
    }
    if (!matters(whole)) this.#lost++;
    else if (!this.#reserve.add(text)) this.fault = `${this.fault}; its reserve is full, too`;
    return whole;
  }

  /** Resolves when all lines are on the disk; false when that failed. */
  async sync(): Promise<boolean> {
    try {
      this.#reserve.sync();
      await sync(this.#file);
      return true;
    } catch (error) {
      this.fault ??= `the journal cannot be synced: ${(error as Error).message}`;
      return false;
    }
  }

  close(): void {
    this.#reserve.close();
    closeSync(this.#file);
  }

  #append(text: string): void {
    if (this.#size > 0 && this.#size + text.length > this.#options.mostBytes) this.#rotate();
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#file, bytes, written);
      this.#size += written;
    } catch (error) {
      // Half a line would be no line, and spoil the next one.
      ftruncateSync(this.#file, this.#size);
      throw error;
    }
  }

  #rotate(): void {
    const { path, keep } = this.#options;
    for (let at = keep - 1; at >= 1; at--) {
      if (existsSync(`${path}.${at}`)) renameSync(`${path}.${at}`, `${path}.${at + 1}`);
    }
    if (keep > 0) renameSync(path, `${path}.1`);
    const next = openSync(path, keep > 0 ? 'a' : 'w', 0o640);
    closeSync(this.#file);
    this.#file = next;
    this.#size = 0;
  }

  /** Puts what the reserve holds where it belongs. */
  #heal(): void {
    try {
      const text = this.#reserve.text();
      const { clock, life } = this.#options;
      const stamps = { v: 1, life, at: clock.stamp(), monotonicNs: clock.nowNs() };
      // Also the test whether lines are taken again.
      const words = `the journal takes lines again; ${this.#lost} windows in which nothing was done were not recorded`;
      const news =
        this.fault === undefined
          ? ''
          : `${JSON.stringify({ kind: 'event', event: 'healed', what: words, ...stamps, seq: this.#seq })}\n`;
      if (text + news === '') return;
      this.#append(text + news);
      if (news !== '') this.#seq++;
      this.#reserve.clear();
      this.#lost = 0;
      this.fault = undefined;
    } catch (error) {
      this.fault = `the journal takes no lines: ${(error as Error).message}`;
    }
  }
}

/** Half a line that a power cut left is ended, so that it spoils no other. */
function endLine(file: number): void {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a) writeSync(file, '\n');
}

/** Whether a line tells of something that was done. */
function matters(line: JournalLine): boolean {
  return line.kind !== 'decision' || line.action.kind !== 'stay';
}
