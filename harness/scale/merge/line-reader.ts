// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { openLine } from '../../core/sealed-line.ts';
import type { TrialRecord } from '../../core/trial.ts';
import { parseTrialRecord } from '../../core/trial-record.ts';
import type { LinePlace } from '../../store/log-lines.ts';
import { RUN_FILES } from '../../store/run-folder.ts';

/** Reads single records out of the logs of runs, whose lines were found whole before. */
export class LineReader implements AsyncDisposable {
  readonly #handles = new Map<string, FileHandle>();

  /** The record of the line at `place` of the run in `folder`. */
  async read(folder: string, place: LinePlace): Promise<TrialRecord> {
    const path = join(folder, RUN_FILES.log);
    const handle = this.#handles.get(path) ?? (await open(path, 'r'));
    this.#handles.set(path, handle);
    const bytes = Buffer.alloc(place.length);
    const { bytesRead } = await handle.read(bytes, 0, place.length, place.at);
    const { text, seal } = openLine(bytes);
    if (bytesRead === place.length && seal !== 'broken') {
      const read = parseTrialRecord(JSON.parse(text));
      if ('record' in read) return read.record;
    }
    throw new PmvxError(ExitCode.failure, {
      where: path,
      what: `changed while it was read (at byte ${place.at})`,
      next: 'Wait until nothing writes to the run any more, and repeat',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
  }
}
