// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { listRuns } from '../store/list-runs.ts';

export interface PlaceOptions {
  readonly out?: string;
  /** A run's id or folder, or true for the one that the other options lead to. */
  readonly resume?: string | true;
}

/** Where a run is or will be. */
export interface RunPlace {
  readonly id: string;
  readonly folder: string;
  readonly exists: boolean;
}

/** Folder of all runs that were not sent elsewhere with --out. */
export function runsFolder(root: string): string {
  return join(root, 'results', 'runs');
}

/** The run that the options of `pmvx run` mean; a new one is called `names.run` and the time. */
export async function chooseRunPlace(
  options: PlaceOptions,
  names: { readonly spec: string; readonly run: string },
  root: string,
  now: Date,
): Promise<RunPlace> {
  const runs = runsFolder(root);
  if (options.resume === undefined) {
    return placeAt(options.out ?? join(runs, `${names.run}-${stamp(now)}`), false);
  }
  if (options.resume === true) {
    return placeAt(options.out ?? (await latestRunOf(names.spec, runs)), true);
  }
  if (options.out !== undefined) {
    throw new PmvxError(ExitCode.usage, {
      what: `--out ${options.out} and --resume ${options.resume} both name a run`,
      next: 'Give one of them.',
    });
  }
  return placeAt(resolveRun(options.resume, runs), true);
}

/** The folder of a run that is named by its id or its path. */
export function resolveRun(run: string, runs: string): string {
  const byId = join(runs, run);
  return !run.includes('/') && existsSync(byId) ? byId : run;
}

async function latestRunOf(specName: string, runs: string): Promise<string> {
  const own = (await listRuns(runs)).filter((run) => !('fault' in run) && run.name === specName);
  const latest = own.at(-1);
  if (latest === undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: runs,
      what: `there is no run of "${specName}" to go on with`,
      next: 'Leave --resume out to start one, or name a folder: --resume DIR.',
    });
  }
  return latest.folder;
}

function placeAt(folder: string, exists: boolean): RunPlace {
  const path = resolve(folder);
  return { id: basename(path), folder: path, exists };
}

/** `20260131-235959`, UTC: sorts by time and is a safe file name. */
export function stamp(now: Date): string {
  return now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
}
