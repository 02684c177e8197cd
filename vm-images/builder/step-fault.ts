// SPDX-License-Identifier: Apache-2.0
import type { ProcessOutput } from 'zx';
import { ExitCode, PmvxError } from '../../harness/core/errors.ts';

const DISK_FULL = /No space left on device|Disk quota exceeded|You don't have enough free space/;
const NO_ARCHIVE =
  /Temporary failure resolving|Could not resolve|Could not connect|Unable to connect|Network is unreachable|Connection (timed out|refused)|Failed to fetch/;
/** What mmdebstrap and make say last, about the end and not about its cause. */
const EPILOGUE = /^(I: |make(\[\d+\])?: |E: mmdebstrap failed to run)/;

/** What a failed step says about its cause, as far as its words tell. */
export function stepFault(
  name: string,
  output: Pick<ProcessOutput, 'stdout' | 'stderr' | 'exitCode' | 'signal'>,
  logPath: string,
): PmvxError {
  const log = `The whole log is ${logPath}`;
  const said = `${output.stdout}\n${output.stderr}`;
  if (DISK_FULL.test(said)) {
    return new PmvxError(ExitCode.environment, {
      what: `${name}: the disk is full`,
      next: `Free some space, or set PMVX_CACHE to a folder on another disk. ${log}`,
    });
  }
  const unreachable = said.split('\n').find((line) => NO_ARCHIVE.test(line));
  if (unreachable !== undefined) {
    return new PmvxError(ExitCode.environment, {
      what: `${name}: the Debian archive cannot be reached (${unreachable.replace(/^E: /, '').trim()})`,
      next: `Check the network and the sources of apt (\`apt-get update\` must work), then run this again. ${log}`,
    });
  }
  const how =
    output.exitCode === null ? `was ended by ${output.signal}` : `failed with exit code ${output.exitCode}`;
  const words = lastWords(output);
  return new PmvxError(ExitCode.image, {
    what: words === '' ? `${name} ${how}` : `${name} ${how}:\n${words}`,
    next: log,
  });
}

/** The last lines that tell a cause; whatever came last when none does. */
function lastWords(output: Pick<ProcessOutput, 'stdout' | 'stderr'>): string {
  const lines = (output.stderr.trim() || output.stdout.trim()).split('\n');
  const telling = lines.filter((line) => !EPILOGUE.test(line));
  return (telling.length > 0 ? telling : lines).slice(-8).join('\n');
}

/** An error of the file system in words that a user can act on; any other error as it is. */
export function fileFault(error: unknown, cache: string): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  const where = path ?? cache;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PmvxError(ExitCode.environment, {
      where,
      what: `the disk is full (${code})`,
      next: 'Free some space, or set PMVX_CACHE to a folder on another disk',
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new PmvxError(ExitCode.environment, {
      where,
      what: `images cannot be kept here (${code})`,
      next: 'Set PMVX_CACHE to a folder that can be written',
    });
  }
  return error;
}
