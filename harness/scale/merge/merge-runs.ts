// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/ids.ts';
import { looksOf } from '../../core/looks.ts';
import type { PlannedTrial, TrialRecord } from '../../core/trial.ts';
import { trialKey } from '../../store/planned-records.ts';
import type { Provenance } from '../../store/provenance.ts';
import { parseJson } from '../../store/run-description.ts';
import { RUN_FILES } from '../../store/run-folder.ts';
import { lockRun } from '../../store/run-lock.ts';
import { mendDescription } from '../../store/run-sums.ts';
import { slimRecords } from '../../store/slim-record.ts';
import { chooseRecords } from './choose.ts';
import { LineReader } from './line-reader.ts';
import { describeMerged, type MergedDescription } from './merged-run.ts';
import { type Part, readPart } from './part.ts';
import { labDifferences, requireOneLab } from './same-lab.ts';
import { type MergedTrial, writeMerged } from './write-merged.ts';

export interface MergeOptions {
  /** Puts runs of different labs together all the same. */
  readonly mixed?: boolean;
  /** Whether records of a spec's first blocks, all of them, are enough by its rule. */
  readonly enough: (spec: Part['spec'], records: readonly TrialRecord[]) => boolean;
}

/** What a merge came to. */
export interface MergeEnd {
  readonly planned: number;
  readonly recorded: number;
  /** Planned trials that no run has, in the plan's order; none when it had enough before. */
  readonly missing: readonly PlannedTrial[];
  /** Blocks after which the spec's rule had enough. */
  readonly enough?: number;
  /** What was odd, in words for the user. */
  readonly notices: readonly string[];
}

/**
 * Puts the runs in `folders`, and what is in `out` already, together as one run in `out`. The order does not matter, and doing it again
 * changes nothing. Throws PmvxError when runs are not of one lab (unless `mixed`), or contradict each other; nothing is written then.
 */
export async function mergeRuns(
  folders: readonly string[],
  out: string,
  options: MergeOptions,
): Promise<MergeEnd> {
  const target = resolve(out);
  if (!existsSync(target)) return merge(await distinctFolders(folders), target, options);
  await requireMerged(target);
  const lock = await lockRun(target);
  try {
    await mendDescription(target, undefined);
    return await merge(await distinctFolders([target, ...folders]), target, options);
  } finally {
    await lock.release();
  }
}

async function merge(folders: readonly string[], out: string, options: MergeOptions): Promise<MergeEnd> {
  const parts: Part[] = [];
  for (const folder of folders) parts.push(await readPart(folder));
  const labs = parts.map((part) => ({ name: part.provenance.run, part }));
  if (options.mixed !== true) requireOneLab(labs);
  const mixture = labDifferences(labs);
  const described = describeMerged(basename(out), parts);
  const before = parts.find(({ folder }) => folder === out);
  if (before !== undefined) requireSameSpec(before, described);
  const { chosen, repeats } = await chooseRecords(parts, { mixed: mixture.length > 0 });
  const all = described.plan.trials.flatMap((planned): MergedTrial[] => {
    const found = chosen.get(trialKey(planned));
    return found === undefined ? [] : [{ ...found, planned }];
  });
  const enough = await enoughAfter(described, all, options.enough);
  const blocks = enough ?? Number.POSITIVE_INFINITY;
  const trials = all.filter(({ planned }) => planned.block < blocks);
  await writeMerged(out, { described, trials, ...(enough === undefined ? {} : { enough }) });
  const due = described.plan.trials.filter(({ block }) => block < blocks);
  return {
    planned: due.length,
    recorded: trials.length,
    missing: due.filter((planned) => !chosen.has(trialKey(planned))),
    ...(enough === undefined ? {} : { enough }),
    notices: [
      ...parts.flatMap(({ notices }) => notices),
      ...mixture.map((words) => `mixed: ${words}`),
      ...(repeats === 0 ? [] : [`${repeats} trials were measured more than once, each with the same result`]),
    ],
  };
}

/** As one run would have: at each look, with all trials of the blocks before it, and none of a later one. */
async function enoughAfter(
  { spec, plan }: MergedDescription,
  trials: readonly MergedTrial[],
  enough: MergeOptions['enough'],
): Promise<number | undefined> {
  if (spec.stop.rule === 'fixed') return undefined;
  await using lines = new LineReader();
  const slim = slimRecords();
  const records: TrialRecord[] = [];
  let next = 0;
  for (const look of looksOf(spec).slice(0, -1)) {
    for (; (trials[next]?.planned.block ?? look) < look; next++) {
      const { part, record } = trials[next] as MergedTrial;
      records.push(slim(await lines.read(part.folder, record)));
    }
    if (records.length < plan.trials.filter(({ block }) => block < look).length) return undefined;
    if (enough(spec, records)) return look;
  }
  return undefined;
}

/** Folders by what they are, each once. */
async function distinctFolders(folders: readonly string[]): Promise<string[]> {
  return [...new Set(await Promise.all(folders.map((folder) => realpath(folder))))];
}

async function requireMerged(folder: string): Promise<void> {
  const path = join(folder, RUN_FILES.provenance);
  if (existsSync(path)) {
    const { parts } = parseJson<Partial<Provenance>>(await readFile(path, 'utf8'), path);
    if (parts !== undefined) return;
  }
  throw new PmvxError(ExitCode.usage, {
    where: folder,
    what: 'is there, and is no merged run',
    next: 'Give a new folder with --out',
  });
}

function requireSameSpec(before: Part, described: MergedDescription): void {
  if (canonicalJson(before.spec) === canonicalJson(described.spec)) return;
  throw new PmvxError(ExitCode.usage, {
    where: before.folder,
    what: 'holds a merged run of another spec',
    next: 'Give a new folder with --out',
  });
}
