// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { runIds } from '../store/list-runs.ts';

/** Folder of the run that `name` means. A name without a slash is an id first, then a folder. */
export async function findRun(name: string, runs: string): Promise<string> {
  if (name !== '' && !name.includes('/') && !name.startsWith('.') && existsSync(join(runs, name))) {
    return join(runs, name);
  }
  if (name !== '' && existsSync(name)) return resolve(name);
  const known = await runIds(runs);
  throw new PmvxError(ExitCode.usage, {
    where: runs,
    what: `there is no run "${name}"`,
    next: known.length === 0 ? 'pmvx run SPEC makes one' : didYouMean(name, known.sort()),
  });
}
