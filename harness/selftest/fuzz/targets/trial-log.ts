// SPDX-License-Identifier: Apache-2.0

import { PmvxError } from '../../../core/errors.ts';
import { canonicalJson } from '../../../core/ids.ts';
import { sealLine } from '../../../core/sealed-line.ts';
import { type LogContents, parseLog } from '../../../store/log-lines.ts';
import { formatTrialsCsv } from '../../../store/trials-csv.ts';
import { ACCEPTED } from '../fuzz.ts';
import { filesAt } from '../seeds.ts';
import { Finding, type Target, wordsOf } from '../target.ts';

/** Logs of runs, as they come from anywhere. */
export function trialLogTarget(root: string): Target {
  const lines = filesAt(root, 'results/reference/*/trials.jsonl', 1 << 20).flatMap((file) =>
    linesOf(file).slice(0, 2),
  );
  return {
    name: 'trial-log',
    about: 'trials.jsonl',
    mostBytes: 32_768,
    seeds: lines
      .map((line, at) => Buffer.concat([line, lines[(at + 1) % lines.length] as Buffer]))
      .filter((each) => each.length < 16_384),
    words: [
      '"state":"completed"',
      '"state":"refused"',
      '"metrics":[]',
      '"reason":"no"',
      '"trial":"0001"',
      '"v":1',
      '"point":"warm"',
      '"host":{}',
      '"probes":{}',
      '"histogram":{"v":1,"buckets":[[1,2]]}',
    ],
    seal: (input) => Buffer.concat(linesOf(input).map(resealed)),
    read(input) {
      try {
        const collected = parseLog(input, 'trials.jsonl', { damage: 'collect' });
        requireWhole(collected, input);
        // What reading leaves out must be told when it is not at the end.
        const read = parseLog(input, 'trials.jsonl');
        if (collected.damaged.length > 0) throw new Finding('damage in the middle is not told');
        return read.torn === undefined ? ACCEPTED : 'its end is torn';
      } catch (error) {
        if (!(error instanceof PmvxError)) throw error;
        return wordsOf(error.faults[0]?.what ?? '');
      }
    },
  };
}

/** Every byte is in a record or among what is set aside, and records are written as they are read. */
function requireWhole({ records, goodBytes, damaged, torn }: LogContents, input: Buffer): void {
  const aside = damaged.reduce((sum, { bytes }) => sum + bytes.length, torn?.length ?? 0);
  if (goodBytes + aside !== input.length)
    throw new Finding(`${input.length - goodBytes - aside} bytes are nowhere`);
  const again = parseLog(Buffer.concat(records.map(sealLine)), 'again').records;
  if (canonicalJson(again) !== canonicalJson(records))
    throw new Finding('a record is not read as it is written');
  formatTrialsCsv(records);
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** A line with the seal that it would have been written with. */
export function resealed(line: Buffer): Buffer {
  const text = line.toString('utf8').trimEnd();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return line;
    const { crc32: _, ...rest } = value as Record<string, unknown>;
    return Object.keys(rest).length === 0 ? line : sealLine(rest);
  } catch {
    return line;
  }
}
