// SPDX-License-Identifier: Apache-2.0
import { PmvxError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { Finding, wordsOf } from './target.ts';

/** How `file` was refused, in words; each fault must have its place in it, and a next step. Any other error is thrown again. */
export function refusalOf(error: unknown, file: string): string {
  if (!(error instanceof PmvxError)) throw error;
  for (const { where = '', what, next } of error.faults) {
    if (!where.startsWith(file) || !/^(?::\d+:\d+)?$/.test(where.slice(file.length)))
      throw new Finding(`a fault without a place: ${where}`);
    if (next === undefined || printable(what) !== what)
      throw new Finding(`a fault that cannot be shown: ${what}`);
  }
  return wordsOf(error.faults[0]?.what ?? '');
}
