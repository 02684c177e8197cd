// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { ReadRun } from './read-pooled.ts';

/** Where what is made of runs goes unless a folder is named: into `inside` of the one run; several have no place that is theirs. */
export function ownFolder(runs: readonly ReadRun[], inside: string): string {
  const [first, second] = runs;
  if (first !== undefined && second === undefined) return join(first.folder, inside);
  throw new PmvxError(ExitCode.usage, {
    where: runs.map(({ run }) => run).join(', '),
    what: 'several runs have no folder of their own',
    next: 'Name one with --out DIR',
  });
}
