// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { stableJson, writeAtomic } from './atomic-write.ts';

/** What describes a run, and the file that vouches for it. */
export const DESCRIBED = { spec: 'spec.json', plan: 'plan.json', provenance: 'provenance.json' } as const;
export type DescribedName = keyof typeof DESCRIBED;
export type DescribedTexts = Readonly<Record<DescribedName, string>>;
export const SUMS_FILE = 'sums.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Sums = z.strictObject({
  v: z.literal(1),
  /** SHA-256 of each file. */
  spec: sha256,
  plan: sha256,
  provenance: sha256,
  /** The text of `provenance.json` once more: spec and plan can be made again, where and when a run began cannot. */
  copy: z.string(),
  /** SHA-256 of the rest. */
  digest: sha256,
});
type Sums = z.infer<typeof Sums>;

/** Runs from before there were sums have none. */
export type FoundSums = 'absent' | 'damaged' | Sums;

/** The text of `sums.json`. */
export function formatSums({ spec, plan, provenance }: DescribedTexts): string {
  const facts = {
    v: 1 as const,
    spec: digestOf(spec),
    plan: digestOf(plan),
    provenance: digestOf(provenance),
    copy: provenance,
  };
  return stableJson({ ...facts, digest: digestOf(stableJson(facts)) });
}

export async function readSums(folder: string): Promise<FoundSums> {
  const text = await readFile(join(folder, SUMS_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (text === undefined) return 'absent';
  try {
    const { digest, ...facts } = Sums.parse(JSON.parse(text));
    return digest === digestOf(stableJson(facts)) ? { ...facts, digest } : 'damaged';
  } catch {
    return 'damaged';
  }
}

/** The files of a run that are not what was written; none where no sums say what that was. */
export function changedFiles(sums: FoundSums, texts: DescribedTexts): DescribedName[] {
  if (typeof sums === 'string') return [];
  return (Object.keys(DESCRIBED) as DescribedName[]).filter((name) => digestOf(texts[name]) !== sums[name]);
}

/**
 * Puts right what describes a run: spec and plan from `again`, what the caller's spec leads to, when that is the very same; provenance
 * from its copy; the sums from the files. Needs the run's lock. Says what was done; throws when a file cannot be made again.
 */
export async function mendDescription(
  folder: string,
  again: Pick<DescribedTexts, 'spec' | 'plan'> | undefined,
): Promise<string[]> {
  const texts = await readTexts(folder);
  const sums = await readSums(folder);
  if (sums === 'absent') return [];
  if (sums === 'damaged') {
    await writeAtomic(join(folder, SUMS_FILE), formatSums(texts));
    return [`${join(folder, SUMS_FILE)}: was damaged, and is made again from the files`];
  }
  const notices: string[] = [];
  for (const name of changedFiles(sums, texts)) {
    const path = join(folder, DESCRIBED[name]);
    const text = name === 'provenance' ? sums.copy : again?.[name];
    if (text === undefined || digestOf(text) !== sums[name]) throw changedFault(path);
    await writeAtomic(path, text);
    notices.push(`${path}: was not what was written, and is made again`);
  }
  return notices;
}

export function changedFault(path: string): PmvxError {
  return new PmvxError(ExitCode.failure, {
    where: path,
    what: `not what was written: its SHA-256 is not that in ${SUMS_FILE}`,
    next: 'Restore the file from a copy, or resume the run with the spec that it was made from, unchanged: the file is made again',
  });
}

/** As they are; a file that is not there is empty. */
export async function readTexts(folder: string): Promise<DescribedTexts> {
  const read = (name: DescribedName) =>
    readFile(join(folder, DESCRIBED[name]), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return '';
    });
  const [spec, plan, provenance] = await Promise.all([read('spec'), read('plan'), read('provenance')]);
  return { spec, plan, provenance };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
