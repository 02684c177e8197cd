// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { stableJson, writeAtomic } from '../../store/atomic-write.ts';

/** Inside a run's folder: all that is Slurm's. */
export const SLURM_FILES = {
  folder: 'slurm',
  jobs: 'jobs.json',
  /** What each task printed, and Slurm about it. */
  log: 'log',
  /** A run folder for each attempt of each task: `<job name>/<task>-<restart>`. */
  parts: 'parts',
} as const;

const UnitSchema = z.strictObject({
  block: z.int().nonnegative(),
  use: z.int().nonnegative().exactOptional(),
});

const JobSchema = z.strictObject({
  /** Unique on the cluster; known before Slurm gives a number. */
  name: z.string(),
  /** `prepare`: brings image and snapshot; `trials`: an array, a task for each of `tasks`; `check`: blocks once more on other nodes. */
  kind: z.enum(['prepare', 'trials', 'check']),
  /** What each task runs, the first being task 1; of a check, which blocks it may choose from. */
  tasks: z.array(z.array(UnitSchema)),
  /** Trials of these units that were recorded before. */
  done: z.array(z.string()),
  /** Slurm's number; absent until Slurm has given one. */
  id: z.string().exactOptional(),
});

const JobsSchema = z.strictObject({
  v: z.literal(1),
  /** Digest of the whole plan: a task that plans otherwise runs nothing. */
  plan: z.string(),
  /** VMs at once in a task. */
  jobs: z.int().positive(),
  split: z.boolean(),
  /** Where nodes find images and snapshots, and where each keeps its own copies, if it does. */
  cache: z.string(),
  nodeCache: z.string().exactOptional(),
  /** Nodes to which the images are broadcast before tasks begin; without it each node copies them when it first needs them. */
  broadcast: z.int().positive().exactOptional(),
  /** Options for sbatch, the user's. */
  options: z.array(z.string()),
  /** Most tasks of an array, and most of them at once. */
  arrayMax: z.int().positive(),
  atOnce: z.int().positive().exactOptional(),
  /** One of so many blocks is measured once more on another node; 0: none. */
  checkEvery: z.int().nonnegative(),
  submitted: z.array(JobSchema),
});

/** A job of this run at Slurm. */
export type SlurmJob = Readonly<z.infer<typeof JobSchema>>;
/** `slurm/jobs.json`: how a run is at Slurm. */
export type SlurmJobs = Readonly<z.infer<typeof JobsSchema>>;

export function slurmFolder(run: string): string {
  return join(run, SLURM_FILES.folder);
}

/** How the run in `folder` is at Slurm; undefined when it never was. */
export async function readJobs(folder: string): Promise<SlurmJobs | undefined> {
  const path = join(slurmFolder(folder), SLURM_FILES.jobs);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JobsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new PmvxError(
      ExitCode.failure,
      {
        where: path,
        what: 'does not say how the run is at Slurm',
        next: 'Restore the file from a copy, or cancel the jobs with scancel and start the run anew',
      },
      { cause: error },
    );
  }
}

/** Writes it as one step; the run's lock is the caller's. */
export async function writeJobs(folder: string, jobs: SlurmJobs): Promise<void> {
  await writeAtomic(join(slurmFolder(folder), SLURM_FILES.jobs), stableJson(jobs));
}

/** `jobs` with what is known now of the job `name`. */
export function withJob(jobs: SlurmJobs, name: string, more: Partial<SlurmJob>): SlurmJobs {
  return {
    ...jobs,
    submitted: jobs.submitted.map((job) => (job.name === name ? { ...job, ...more } : job)),
  };
}
