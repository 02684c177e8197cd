// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { TrialRecord } from '../core/trial.ts';
import { parseTrialRecord } from './record-schema.ts';

/** What a log's bytes hold. */
export interface LogContents {
  readonly records: readonly TrialRecord[];
  /** Length of the good part, which ends after the last complete record. */
  readonly goodBytes: number;
  /** True when the last record is whole and only its line end is missing. */
  readonly lacksNewline: boolean;
  /** What follows the good part: the rest of a write that a crash cut off. Undefined when nothing does. */
  readonly torn?: Buffer;
}

const NEWLINE = 0x0a;

/** Reads the bytes of a `trials.jsonl`; see `LogReader`. */
export function parseLog(bytes: Buffer, path: string): LogContents {
  const reader = new LogReader(path);
  reader.push(bytes);
  return reader.end();
}

/**
 * Reads a `trials.jsonl` piece by piece. Only the very end may be damaged, because lines are appended one write
 * at a time; damage before it did not come from a crash and is an error that names the line.
 */
export class LogReader {
  readonly #path: string;
  readonly #keep: (record: TrialRecord) => TrialRecord;
  readonly #records: TrialRecord[] = [];
  readonly #lineOf = new Map<string, number>();
  #line = 0;
  #goodBytes = 0;
  /** Bytes after the last line end. */
  #rest = Buffer.alloc(0);
  /** A line that is no JSON: fine at the end, corrupt when anything follows. */
  #damaged: { readonly bytes: Buffer; readonly fault: string } | undefined;

  /** `keep` is what of each record stays in memory; all when absent. */
  constructor(path: string, keep: (record: TrialRecord) => TrialRecord = (record) => record) {
    this.#path = path;
    this.#keep = keep;
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

  end(): LogContents {
    const lacksNewline = this.#rest.length > 0;
    if (lacksNewline) this.#take(this.#rest, 0);
    const contents = { records: this.#records, goodBytes: this.#goodBytes };
    return this.#damaged === undefined
      ? { ...contents, lacksNewline }
      : { ...contents, lacksNewline: false, torn: this.#damaged.bytes };
  }

  #take(bytes: Buffer, lineEnd: 0 | 1): void {
    if (this.#damaged !== undefined) throw corrupt(this.#path, this.#line, this.#damaged.fault);
    this.#line++;
    const read = parseLine(bytes);
    if ('fault' in read) {
      if (!read.cutOff) throw corrupt(this.#path, this.#line, read.fault);
      const whole = lineEnd === 1 ? Buffer.concat([bytes, Buffer.from('\n')]) : Buffer.from(bytes);
      this.#damaged = { bytes: whole, fault: read.fault };
      return;
    }
    const { trial } = read.record;
    const earlier = this.#lineOf.get(trial);
    if (earlier !== undefined) {
      throw corrupt(this.#path, this.#line, `trial ${trial} is already recorded on line ${earlier}`);
    }
    this.#lineOf.set(trial, this.#line);
    this.#records.push(this.#keep(read.record));
    this.#goodBytes += bytes.length + lineEnd;
  }
}

type Line = { readonly record: TrialRecord } | { readonly fault: string; readonly cutOff: boolean };

function parseLine(bytes: Buffer): Line {
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: `not valid JSON: ${excerpt(text)}`, cutOff: true };
  }
  const read = parseTrialRecord(value);
  return 'record' in read ? read : { fault: read.fault, cutOff: false };
}

function corrupt(path: string, line: number, what: string): PmvxError {
  return new PmvxError(ExitCode.failure, {
    where: `${path}:${line}`,
    what,
    next: 'Restore the file from a copy, or move this line elsewhere and resume the run to measure its trial again',
  });
}

function excerpt(text: string): string {
  const shown = JSON.stringify(text.slice(0, 60));
  return text.length > 60 ? `${shown}... (${text.length} characters)` : shown;
}
