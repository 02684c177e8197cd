// SPDX-License-Identifier: Apache-2.0
import { ExitCode, type Fault, PmvxError } from '../core/errors.ts';
import { openLine } from '../core/sealed-line.ts';
import type { TrialRecord } from '../core/trial.ts';
import { parseTrialRecord } from '../core/trial-record.ts';
import type { PlannedRecords } from './planned-records.ts';

/** What a log's bytes hold. */
export interface LogContents<T = TrialRecord> {
  /** What was kept of each record, in the order of the lines. */
  readonly records: readonly T[];
  /** Length of the good part: all bytes but those of damaged lines. */
  readonly goodBytes: number;
  /** True when the last record is whole and only its line end is missing. */
  readonly lacksNewline: boolean;
  /** What follows the good part: the rest of a write that a crash cut off. Undefined when nothing does. */
  readonly torn?: Buffer;
  /** Lines before the end that are not what was written, in order; only for a reader that was told to `collect` them. */
  readonly damaged: readonly DamagedLine[];
}

/** A line that no crash explains: the disk, or somebody, changed it. */
export interface DamagedLine {
  readonly line: number;
  /** Where it begins in the file, and its bytes with the line end. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** Where in the file the line of a record is, without its line end. */
export interface LinePlace {
  /** Its number, from 1. */
  readonly line: number;
  readonly at: number;
  readonly length: number;
}

/** What of each record stays in memory. */
export type Keep<T> = (record: TrialRecord, place: LinePlace) => T;

export interface ReaderOptions<T = TrialRecord> {
  /** The whole record when absent. */
  readonly keep?: Keep<T>;
  /** What to do with damaged lines before the end: by default they are an error. */
  readonly damage?: 'refuse' | 'collect';
  /** Every record must be of this plan. */
  readonly planned?: PlannedRecords;
}

const NEWLINE = 0x0a;
const UNPLANNED_SHOWN = 5;

/** Reads the bytes of a `trials.jsonl`; see `LogReader`. */
export function parseLog(bytes: Buffer, path: string, options: ReaderOptions = {}): LogContents {
  const reader = new LogReader(path, options);
  reader.push(bytes);
  return reader.end();
}

/**
 * Reads a `trials.jsonl` piece by piece. The very end may be cut off by a crash, because lines are appended one write
 * at a time; damage before it did not come from a crash.
 */
export class LogReader<T = TrialRecord> {
  readonly #path: string;
  readonly #keep: Keep<T>;
  readonly #collect: boolean;
  readonly #records: T[] = [];
  readonly #damaged: DamagedLine[] = [];
  readonly #lineOf = new Map<string, number>();
  readonly #planned: PlannedRecords | undefined;
  /** Records that are not of the plan: told at the end, when the place of what they repeat is known. */
  readonly #unplanned: { readonly record: TrialRecord; readonly line: number }[] = [];
  #line = 0;
  /** Bytes of the file that were taken, good or not. */
  #at = 0;
  #goodBytes = 0;
  /** Once one line is sealed, all that follow must be. */
  #sealed = false;
  /** Bytes after the last line end. */
  #rest = Buffer.alloc(0);
  /** A line that is not as it was written: fine at the end, damage when anything follows. */
  #doubtful: (DamagedLine & { readonly fault: string }) | undefined;

  constructor(path: string, { keep, damage = 'refuse', planned }: ReaderOptions<T> = {}) {
    this.#path = path;
    this.#keep = keep ?? ((record) => record as T);
    this.#collect = damage === 'collect';
    this.#planned = planned;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (;;) {
      const newline = bytes.indexOf(NEWLINE, start);
      if (newline === -1) break;
      this.#take(bytes.subarray(start, newline), 1);
      start = newline + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
  }

  end(): LogContents<T> {
    const lacksNewline = this.#rest.length > 0;
    if (lacksNewline) this.#take(this.#rest, 0);
    if (this.#planned !== undefined && this.#unplanned.length > 0) throw this.#notOfPlan(this.#planned);
    const contents = { records: this.#records, goodBytes: this.#goodBytes, damaged: this.#damaged };
    return this.#doubtful === undefined
      ? { ...contents, lacksNewline }
      : { ...contents, lacksNewline: false, torn: this.#doubtful.bytes };
  }

  #take(bytes: Buffer, lineEnd: 0 | 1): void {
    if (this.#doubtful !== undefined) this.#giveUp(this.#doubtful);
    this.#line++;
    const at = this.#at;
    this.#at += bytes.length + lineEnd;
    const read = parseLine(bytes, this.#sealed);
    if ('fault' in read) {
      if (!read.damaged) throw corrupt(this.#path, this.#line, read.fault, BY_HAND);
      const whole = lineEnd === 1 ? Buffer.concat([bytes, Buffer.from('\n')]) : Buffer.from(bytes);
      this.#doubtful = { line: this.#line, at, bytes: whole, fault: read.fault };
      return;
    }
    this.#sealed ||= read.sealed;
    const { record } = read;
    const earlier = this.#lineOf.get(record.trial);
    if (earlier !== undefined) {
      const there = `${this.#path}:${earlier}`;
      throw corrupt(this.#path, this.#line, `trial ${record.trial} is already recorded on ${there}`, BY_HAND);
    }
    this.#lineOf.set(record.trial, this.#line);
    this.#goodBytes += bytes.length + lineEnd;
    if (this.#planned?.has(record) === false) this.#unplanned.push({ record, line: this.#line });
    else this.#records.push(this.#keep(record, { line: this.#line, at, length: bytes.length }));
  }

  #notOfPlan(planned: PlannedRecords): PmvxError {
    const placeOf = (trial: string) => {
      const line = this.#lineOf.get(trial);
      return line === undefined ? undefined : `${this.#path}:${line}`;
    };
    const faults: Fault[] = this.#unplanned
      .slice(0, UNPLANNED_SHOWN)
      .map(({ record, line }) => ({ where: `${this.#path}:${line}`, ...planned.faultOf(record, placeOf) }));
    const more = this.#unplanned.length - faults.length;
    const rest = more === 0 ? [] : [{ where: this.#path, what: `${more} more records are not of the plan` }];
    return new PmvxError(ExitCode.failure, [...faults, ...rest]);
  }

  #giveUp({ line, at, bytes, fault }: DamagedLine & { readonly fault: string }): void {
    if (!this.#collect) throw corrupt(this.#path, line, fault, BY_RESUMING);
    this.#damaged.push({ line, at, bytes });
    this.#doubtful = undefined;
  }
}

type Line =
  | { readonly record: TrialRecord; readonly sealed: boolean }
  /** `damaged`: not the bytes that were written; otherwise a program wrote it so. */
  | { readonly fault: string; readonly damaged: boolean };

function parseLine(bytes: Buffer, sealedBefore: boolean): Line {
  const { text, seal } = openLine(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: `not valid JSON: ${excerpt(bytes.toString('utf8'))}`, damaged: true };
  }
  if (seal === 'broken')
    return { fault: `not what was written: its CRC differs: ${excerpt(text)}`, damaged: true };
  if (seal === 'bare' && (sealedBefore || hasSeal(value))) {
    return { fault: `not what was written: it has lost its CRC: ${excerpt(text)}`, damaged: true };
  }
  const read = parseTrialRecord(value);
  return 'record' in read
    ? { record: read.record, sealed: seal === 'whole' }
    : { fault: read.fault, damaged: false };
}

function hasSeal(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'crc32');
}

const BY_HAND =
  'Restore the file from a copy, or move this line elsewhere and resume the run to measure its trial again';
const BY_RESUMING =
  'Restore the file from a copy, or resume the run: the line is set aside, and its trial measured again';

function corrupt(path: string, line: number, what: string, next: string): PmvxError {
  return new PmvxError(ExitCode.failure, { where: `${path}:${line}`, what, next });
}

function excerpt(text: string): string {
  const shown = JSON.stringify(text.slice(0, 60));
  return text.length > 60 ? `${shown}... (${text.length} characters)` : shown;
}
