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

/**
 * Reads the bytes of a `trials.jsonl`. Only the very end may be damaged, because lines are appended one write
 * at a time; damage before it did not come from a crash and is an error that names the line.
 */
export function parseLog(bytes: Buffer, path: string): LogContents {
  const records: TrialRecord[] = [];
  const lineOf = new Map<string, number>();
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const next = newline === -1 ? bytes.length : newline + 1;
    const read = parseLine(bytes.subarray(start, end));
    if ('fault' in read) {
      if (next === bytes.length && read.cutOff) {
        return { records, goodBytes: start, lacksNewline: false, torn: bytes.subarray(start) };
      }
      throw corrupt(path, line, read.fault);
    }
    const earlier = lineOf.get(read.record.trial);
    if (earlier !== undefined) {
      throw corrupt(path, line, `trial ${read.record.trial} is already recorded on line ${earlier}`);
    }
    lineOf.set(read.record.trial, line);
    records.push(read.record);
    start = next;
  }
  const lacksNewline = bytes.length > 0 && bytes[bytes.length - 1] !== NEWLINE;
  return { records, goodBytes: bytes.length, lacksNewline };
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
