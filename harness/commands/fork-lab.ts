// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { TrialRecord } from '../core/trial.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { snapshotLimit } from '../lab/snapshots/quota.ts';
import { openSnapshotStore } from '../lab/snapshots/store.ts';
import { defaultHostDeadlineMs } from '../lab/vm-engine.ts';
import { machinesThatFit, preflight, requireMemory } from '../run/preflight.ts';
import { resultsPlace } from '../run/results-place.ts';
import { readSpec } from '../spec/read-spec.ts';
import { stableJson, writeAtomic } from '../store/atomic-write.ts';
import { type AskOptions, questionOf } from '../whatif/ask-options.ts';
import { type ForkingLab, forkWith } from '../whatif/forking-lab.ts';
import { type Question, trialsOf } from '../whatif/question.ts';
import type { CommandContext } from './context.ts';
import { requireBuilt } from './left-out.ts';
import { provenImage } from './open-lab.ts';
import { watchRun } from './run-watcher.ts';

/** What `whatif` and `diverge` take. */
export interface ForkOptions extends AskOptions {
  /** Path of the spec. */
  readonly spec: string;
  readonly jobs?: number;
  readonly json?: boolean;
  /** Folder that keeps consoles, records and the answer; nothing is kept without it. */
  readonly out?: string;
}

/** Makes the forks of a question; a test gives one without machines. */
export type OpenFork = (question: Question, context: CommandContext) => Promise<ForkingLab['fork']>;

/** The question that a spec and options ask, on the exact engine whatever the spec says. */
export async function readQuestion(options: ForkOptions, context: CommandContext): Promise<Question> {
  const catalog = await context.catalog();
  return questionOf(await readSpec(options.spec, catalog, 'exact'), options, catalog);
}

/** Real machines: the image proven, the snapshots of the user's cache. */
export const openFork: OpenFork = async ({ image: recipe, policies, workload }, context) => {
  const cache = cacheFolder(context.env);
  const image = await requireImage(context.root, cache, recipe);
  const wanted = { policies, workloads: [workload.workload] };
  requireBuilt(image.manifest, wanted, await context.catalog());
  await provenImage(image, context);
  const store = await openSnapshotStore(cache, {
    limitBytes: snapshotLimit(context.env),
    warn: (line) => context.warn(`pmvx: ${line}`),
    signal: context.signal,
  });
  return forkWith({ accelerator: 'exact', image, store, hostDeadlineMs: defaultHostDeadlineMs });
};

/**
 * Asks with a lab whose folder is `--out`, or one that is removed. Progress is shown unless the answer is for programs. With `--out`
 * writes the records and the answer there.
 */
export async function askInPlace<T>(
  question: Question,
  options: ForkOptions,
  context: CommandContext,
  open: OpenFork,
  ask: (lab: ForkingLab, keep: (records: readonly TrialRecord[]) => void) => Promise<T>,
): Promise<{ readonly answer: T; readonly records: readonly TrialRecord[] }> {
  const trials = trialsOf(question);
  const jobs = Math.min(
    options.jobs ?? (await machinesThatFit(availableParallelism(), question.machine.memoryMiB, resultsPlace)),
    trials.length,
  );
  const folder =
    options.out === undefined ? await mkdtemp(join(tmpdir(), 'pmvx-ask-')) : resolve(options.out);
  try {
    if (options.out !== undefined) await requireEmpty(folder, options.out);
    await preflight(folder, { trials: trials.length, jobs }, resultsPlace);
    await requireMemory(jobs, question.machine.memoryMiB, resultsPlace);
    const quiet = options.json === true;
    const fork = await open(question, quiet ? { ...context, write: context.warn } : context);
    const shown = quiet ? undefined : watchRun(trials, jobs, context);
    let records: readonly TrialRecord[] = [];
    const lab: ForkingLab = {
      fork,
      catalog: await context.catalog(),
      consoles: join(folder, 'consoles'),
      jobs,
      ...(shown === undefined ? {} : { watch: shown.watch }),
    };
    const answer = await ask(lab, (ended) => {
      records = ended;
    }).finally(() => shown?.end());
    if (options.out !== undefined) {
      await writeAtomic(
        join(folder, 'trials.jsonl'),
        records.map((each) => `${JSON.stringify(each)}\n`).join(''),
      );
      await writeAtomic(join(folder, 'answer.json'), stableJson(answer));
    }
    return { answer, records };
  } finally {
    if (options.out === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function requireEmpty(folder: string, written: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (names.length === 0) return;
  throw new PmvxError(ExitCode.usage, {
    where: written,
    what: `the folder holds ${names.length} files already`,
    next: 'Give --out a folder that is new or empty.',
  });
}
