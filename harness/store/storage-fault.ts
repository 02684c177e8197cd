// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';

/** What a user can do about each error of a file system; the rest are passed on as they are. */
const NEXT_STEPS: Readonly<Record<string, readonly [what: string, next: string]>> = {
  ENOSPC: ['no space left on the device', 'Free some space, then resume the run; what was recorded is kept'],
  EDQUOT: ['the disk quota is used up', 'Free some space, then resume the run; what was recorded is kept'],
  EROFS: ['the file system is read-only', 'Choose a folder that can be written with --out'],
  EACCES: ['permission denied', 'Make the folder writable or choose another with --out'],
  EPERM: ['the operation is not permitted', 'Make the folder writable or choose another with --out'],
  ENOTDIR: ['a part of the path is not a folder', 'Choose a folder with --out'],
  ENOENT: ['a folder of the path does not exist', 'Check the path'],
  EIO: ['the device reported an input/output error', 'Check the disk; what was recorded before is kept'],
  EMFILE: ['too many open files', 'Raise the limit (ulimit -n) or use fewer --jobs'],
};

/** The `PmvxError` for a failed file operation on `path`; an error of another kind comes back unchanged. */
export function storageFault(error: unknown, doing: string, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = NEXT_STEPS[code];
  if (known === undefined) return error;
  const [what, next] = known;
  return new PmvxError(
    ExitCode.environment,
    { where: path, what: `cannot ${doing}: ${what} (${code})`, next },
    { cause: error },
  );
}
