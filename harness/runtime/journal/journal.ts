// SPDX-License-Identifier: Apache-2.0
import {
  close,
  existsSync,
  fdatasync,
  fstatSync,
  ftruncate,
  open,
  openSync,
  readSync,
  rename,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import type { Decision, Event, Intent, JournalLine } from '../contracts.ts';
import { Disk, within } from '../daemon/disk.ts';
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
  /** Shared with all else that is written; absent: its own. */
  readonly disk?: Disk;
}

type Stamped = 'v' | 'seq' | 'life' | 'at' | 'monotonicNs';
/** A line as its author writes it; the journal numbers and stamps it. */
export type NewLine = Omit<Decision, Stamped> | Omit<Intent, Stamped> | Omit<Event, Stamped>;

/** Lines that are kept in memory for `decisions` and `explain`. */
const REMEMBERED = 512;
/** Lines that wait for the disk at most; then windows in which nothing was done are lost, and at last the oldest. */
const WAITING = 4096;
/** How long the disk may take to have a line, ms. */
const SYNC_MS = 3000;
const CLOSE_MS = 2000;
/** A line that came to the disk so much later than it was made says so, ms. */
const LATE_MS = 500;
const files = {
  close: promisify(close),
  open: promisify(open),
  rename: promisify(rename),
  sync: promisify(fdatasync),
  truncate: promisify(ftruncate),
  write: promisify(write),
};

/**
 * Decisions as JSON lines, appended whole or not at all, in the order in which they were made, and never on the thread of the loop. When the disk takes no more, what was done goes into a
 * reserve whose blocks were written before, and into the journal as soon as it takes lines again; windows in which nothing was done are lost, and counted.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #reserve: Reserve;
  readonly #disk: Disk;
  readonly #recent: JournalLine[] = [];
  #waiting: JournalLine[] = [];
  #writing: Promise<void> | undefined;
  #file: number;
  #size: number;
  #seq = 0;
  /** Of the line that tells of the end of a fault. */
  #healSeq: number | undefined;
  #lost = 0;
  #fault: string | undefined;

  private constructor(options: JournalOptions, file: number, reserve: Reserve) {
    this.#options = options;
    this.#disk = options.disk ?? new Disk();
    this.#file = file;
    this.#size = fstatSync(file).size;
    this.#reserve = reserve;
  }

  static open(options: JournalOptions): Journal {
    try {
      const file = openSync(options.path, 'a+', 0o640);
      endLine(file);
      const journal = new Journal(options, file, Reserve.open(`${options.path}.reserve`));
      void journal.#disk.later(() => journal.#heal());
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

  /** Why lines cannot be written now, as far as the disk has said; undefined when they can. */
  get fault(): string | undefined {
    const slow = this.#disk.fault;
    return this.#fault ?? (slow === undefined ? undefined : `the journal takes no lines: ${slow}`);
  }

  /** Numbers and stamps a line, and appends it as soon as the disk takes it. Never throws: `fault` says when it went to the reserve, or was lost. */
  write(line: NewLine): JournalLine {
    const { clock, life } = this.#options;
    const stamps = { v: 1 as const, seq: this.#seq++, life, at: clock.stamp(), monotonicNs: clock.nowNs() };
    const whole = { ...stamps, ...line } as JournalLine;
    this.#recent.push(whole);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    this.#waiting.push(whole);
    if (this.#waiting.length > WAITING) this.#makeRoom();
    this.#writing ??= this.#disk
      .later(() => this.#drain())
      .finally(() => {
        this.#writing = undefined;
      });
    return whole;
  }

  /** Resolves when all lines are on the disk; false when that failed, or took longer than `ms`. */
  async sync(ms = SYNC_MS): Promise<boolean> {
    let synced = false;
    const done = this.#disk.later(async () => {
      // What was written after that was waiting already is not left for later.
      await this.#drain();
      await this.#reserve.sync();
      await files.sync(this.#file);
      synced = true;
    });
    done.catch((error: Error) => {
      this.#fault ??= `the journal cannot be synced: ${error.message}`;
    });
    await within(done, ms);
    return synced;
  }

  /** Resolves when all lines are written and the files closed, or when the disk has not answered for too long. */
  async close(): Promise<void> {
    const done = this.#disk.later(async () => {
      await this.#drain();
      await this.#reserve.close();
      await files.close(this.#file);
    });
    await within(done, CLOSE_MS);
  }

  /** Only within `Disk.later`. */
  async #drain(): Promise<void> {
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift())
      await this.#put(line);
  }

  async #put(line: JournalLine): Promise<void> {
    const lateMs = (this.#options.clock.nowNs() - line.monotonicNs) / 1e6;
    const late = lateMs < LATE_MS ? {} : { lateMs: Math.round(lateMs) };
    const text = `${JSON.stringify({ ...line, ...late })}\n`;
    if (this.#fault !== undefined) await this.#heal();
    if (this.#fault === undefined) {
      try {
        await this.#append(text);
        return;
      } catch (error) {
        this.#fault = `the journal takes no lines: ${(error as Error).message}`;
      }
    }
    if (!matters(line)) this.#lost++;
    else if (!(await this.#reserve.add(text))) this.#fault = `${this.#fault}; its reserve is full, too`;
  }

  #makeRoom(): void {
    const least = this.#waiting.findIndex((line) => !matters(line));
    this.#waiting.splice(Math.max(0, least), 1);
    this.#lost++;
  }

  async #append(text: string): Promise<void> {
    if (this.#size > 0 && this.#size + text.length > this.#options.mostBytes) await this.#rotate();
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) {
        const { bytesWritten } = await files.write(this.#file, bytes, written, bytes.length - written, null);
        written += bytesWritten;
      }
      this.#size += written;
    } catch (error) {
      // Half a line would be no line, and spoil the next one.
      await files.truncate(this.#file, this.#size);
      throw error;
    }
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options;
    for (let at = keep - 1; at >= 1; at--) {
      if (existsSync(`${path}.${at}`)) await files.rename(`${path}.${at}`, `${path}.${at + 1}`);
    }
    if (keep > 0) await files.rename(path, `${path}.1`);
    const next = await files.open(path, keep > 0 ? 'a' : 'w', 0o640);
    await files.close(this.#file);
    this.#file = next;
    this.#size = 0;
  }

  /** Puts what the reserve holds where it belongs. */
  async #heal(): Promise<void> {
    try {
      const text = await this.#reserve.text();
      const { clock, life } = this.#options;
      const stamps = { v: 1, life, at: clock.stamp(), monotonicNs: clock.nowNs() };
      // Also the test whether lines are taken again.
      const words = `the journal takes lines again; ${this.#lost} windows in which nothing was done were not recorded`;
      if (this.#fault !== undefined) this.#healSeq ??= this.#seq++;
      const line = { kind: 'event', event: 'healed', what: words, ...stamps, seq: this.#healSeq };
      const news = this.#fault === undefined ? '' : `${JSON.stringify(line)}\n`;
      if (text + news === '') return;
      await this.#append(text + news);
      await this.#reserve.clear();
      this.#healSeq = undefined;
      this.#lost = 0;
      this.#fault = undefined;
    } catch (error) {
      this.#fault = `the journal takes no lines: ${(error as Error).message}`;
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
