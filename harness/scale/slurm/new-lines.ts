// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import { openLine } from '../../core/sealed-line.ts';
import type { TrialRecord } from '../../core/trial.ts';
import { parseTrialRecord } from '../../core/trial-record.ts';

/** Bytes at a time. */
const CHUNK = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Reads logs while others append to them: each call gives the records whose lines have been completed since the last. */
export class NewLines {
  readonly #at = new Map<string, number>();

  /** The new records of the log at `path`, and in words each line that is none. */
  async read(path: string): Promise<{ readonly records: TrialRecord[]; readonly faults: string[] }> {
    const records: TrialRecord[] = [];
    const faults: string[] = [];
    const handle = await open(path, 'r');
    try {
      let rest = Buffer.alloc(0);
      let at = this.#at.get(path) ?? 0;
      for (;;) {
        const chunk = Buffer.alloc(CHUNK);
        const { bytesRead } = await handle.read(chunk, 0, CHUNK, at + rest.length);
        if (bytesRead === 0) break;
        const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
        let start = 0;
        for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
          const read = recordOf(bytes.subarray(start, end));
          if (typeof read === 'string') faults.push(`${path}: byte ${at + start}: ${read}`);
          else records.push(read);
          start = end + 1;
        }
        rest = bytes.subarray(start);
        at += start;
        this.#at.set(path, at);
      }
    } finally {
      await handle.close();
    }
    return { records, faults };
  }
}

function recordOf(line: Buffer): TrialRecord | string {
  const { text, seal } = openLine(line);
  if (seal !== 'whole') return 'not what was written; its trial counts as not measured';
  try {
    const read = parseTrialRecord(JSON.parse(text));
    return 'record' in read ? read.record : read.fault;
  } catch {
    return 'not valid JSON; its trial counts as not measured';
  }
}
