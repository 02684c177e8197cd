// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { stableJson, writeAtomic } from './atomic-write.ts';

/** In a run's folder: trials that were measured once more on another node, on purpose. */
export const CHECKS_FILE = 'checks.json';

const ChecksSchema = z.looseObject({
  v: z.literal(1),
  /** Trials whose second result was the first, by trial: fingerprint of the other node. */
  agreed: z.record(z.string(), z.string()),
  /** Trials of which one end was the host's doing, so that nothing follows. */
  undecided: z.record(z.string(), z.string()),
  /** Trials with two results, in words. One of these, and nothing may be claimed from the run. */
  differ: z.record(z.string(), z.string()),
});
export type Checks = Readonly<z.infer<typeof ChecksSchema>>;

export const NO_CHECKS: Checks = { v: 1, agreed: {}, undecided: {}, differ: {} };

/** What checks of the run in `folder` found; undefined when nothing was compared. */
export async function readChecks(folder: string): Promise<Checks | undefined> {
  const path = join(folder, CHECKS_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (text === undefined) return undefined;
  try {
    return ChecksSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new PmvxError(
      ExitCode.failure,
      { where: path, what: 'does not say what checks found', next: 'Restore the file from a copy' },
      { cause: error },
    );
  }
}

export async function writeChecks(folder: string, checks: Checks): Promise<void> {
  await writeAtomic(join(folder, CHECKS_FILE), stableJson(checks));
}

/** Refuses a run in which a trial had two results where there can be only one. */
export async function requireUnbroken(folder: string): Promise<void> {
  const words = Object.values((await readChecks(folder))?.differ ?? {});
  if (words.length > 0) throw brokenRun(folder, words);
}

const SHOWN = 3;

/** The error that stops every claim from a run. */
export function brokenRun(folder: string, words: readonly string[]): PmvxError {
  const shown = words.slice(0, SHOWN).map((what) => ({ where: folder, what }));
  const more = words.length > SHOWN ? ` (${words.length} trials in all)` : '';
  return new PmvxError(ExitCode.image, [
    ...shown,
    {
      where: folder,
      what: `on this engine a trial has one result on every host${more}: the lab is broken, and no claim can be made from this run`,
      next: 'On both nodes: `./pmvx image verify RECIPE` and `./pmvx image selftest RECIPE --force`; then run the spec anew',
    },
  ]);
}
