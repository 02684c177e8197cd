// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { PmvxError } from '../core/errors.ts';
import type { TrialRecord } from '../core/trial.ts';
import { type Keep, type LogContents, LogReader, type ReaderOptions } from './log-lines.ts';
import { storageFault } from './storage-fault.ts';

/** Bytes at a time: a log may be larger than memory. */
const CHUNK = 1024 * 1024;

/** Reads the log at `path`, and keeps of each record what `keep` says. A last line that a crash cut off is left out. */
export async function readLog<T = TrialRecord>(
  path: string,
  options: Keep<T> | ReaderOptions<T> = {},
): Promise<LogContents<T>> {
  const reader = new LogReader<T>(path, typeof options === 'function' ? { keep: options } : options);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) reader.push(chunk as Buffer);
  } catch (error) {
    throw error instanceof PmvxError ? error : storageFault(error, 'read the trial log', path);
  }
  return reader.end();
}
