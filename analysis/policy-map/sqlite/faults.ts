// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../../../harness/core/errors.ts';

/** Result codes of SQLite that a user can do something about (https://sqlite.org/rescode.html), by their lowest byte. */
const KNOWN: Readonly<Record<number, readonly [what: string, next: string]>> = {
  5: [
    'another process is writing to the map',
    'Wait until it has ended, then try again; nothing was changed',
  ],
  8: ['the map cannot be written', 'Make the file and its folder writable'],
  10: ['the disk reported an error', 'Check the disk; what was learnt before is kept'],
  11: ['the map is damaged', 'Restore it from a copy, or learn the runs anew'],
  13: ['no space left on the device', 'Free some space, then learn again; nothing was changed'],
  14: ['the map cannot be opened', 'Check the path, and that its folder can be written'],
  23: ['permission denied', 'Make the file and its folder writable'],
  26: [
    'not a policy map: it is no SQLite database',
    'pmvx learn RUN --map FILE makes a new map; nothing was changed',
  ],
};

/** The `PmvxError` for what SQLite or the file system said about the map; an error of another kind comes back unchanged. */
export function sqliteFault(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  if ('errcode' in error && typeof error.errcode === 'number') {
    const known = KNOWN[error.errcode & 0xff];
    if (known === undefined) return error;
    const [what, next] = known;
    return new PmvxError(
      ExitCode.environment,
      { where: path, what: `${what} (${error.message})`, next },
      { cause: error },
    );
  }
  if ('code' in error && (error.code === 'EACCES' || error.code === 'EPERM')) {
    return new PmvxError(
      ExitCode.environment,
      { where: path, what: `permission denied (${error.code})`, next: 'Make the file readable' },
      { cause: error },
    );
  }
  return error;
}
