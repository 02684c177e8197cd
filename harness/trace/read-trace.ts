// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { Trace } from './trace.ts';
import { decodeTrace, MAX_TRACE_BYTES } from './trace-file.ts';

/** Reads and checks a trace file. Throws PmvxError (usage) that says what is wrong with it. */
export async function readTrace(path: string): Promise<Trace> {
  const fault = (what: string, next: string) => new PmvxError(ExitCode.usage, { where: path, what, next });
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) throw fault('no such file', 'pmvx trace record makes one');
  if (!status.isFile()) throw fault('is no regular file', 'Name a trace that pmvx trace record wrote');
  if (status.size > MAX_TRACE_BYTES) {
    throw fault(`has ${status.size} bytes; a trace has at most ${MAX_TRACE_BYTES}`, 'Record a shorter run');
  }
  try {
    return decodeTrace(await readFile(path));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw fault(error.message, 'Record it anew, or fetch the file once more');
  }
}
