// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { deriveSeed } from '../../core/seed.ts';
import type { Spec } from '../../core/spec.ts';
import type { PlannedTrial } from '../../core/trial.ts';
import { type Plan, planTrials } from '../../plan/plan.ts';
import { readNodes } from '../../store/nodes.ts';
import { storedSpec } from '../../store/older-runs.ts';
import type { Provenance } from '../../store/provenance.ts';
import { readLog } from '../../store/read-log.ts';
import { parseJson } from '../../store/run-description.ts';
import { RUN_FILES } from '../../store/run-folder.ts';
import { attemptsOf } from './attempts.ts';
import { readJobs, type SlurmJob, type SlurmJobs } from './jobs-file.ts';
import { isOf, type Unit, unitsOf } from './tasks.ts';

/** Which task of which job this process is, as Slurm says. */
export interface TaskId {
  readonly name: string;
  /** 1 for a job that is no array. */
  readonly task: number;
  readonly restart: number;
}

/** A task's view of the run that it is part of. */
export interface TaskBasis {
  readonly spec: Spec;
  readonly plan: Plan;
  readonly provenance: Provenance;
  readonly jobs: SlurmJobs;
  readonly job: SlurmJob;
}

/** Reads who this is from what Slurm puts into the environment. */
export function taskId(env: Readonly<Record<string, string | undefined>>): TaskId {
  const { SLURM_JOB_NAME: name, SLURM_ARRAY_TASK_ID: task = '1', SLURM_RESTART_COUNT: restart = '0' } = env;
  if (name !== undefined) return { name, task: Number(task), restart: Number(restart) };
  throw new PmvxError(ExitCode.usage, {
    what: 'this is no task of Slurm (SLURM_JOB_NAME is not set)',
    next: 'Start runs with `pmvx run SPEC --on slurm`',
  });
}

/** Reads the run in `folder`. The plan is made again, which is faster than reading it, and must be the one that was handed in. */
export async function readTaskBasis(folder: string, { name }: TaskId): Promise<TaskBasis> {
  const read = async <T>(file: string): Promise<T> => {
    const path = join(folder, file);
    return parseJson<T>(await readFile(path, 'utf8'), path);
  };
  const spec = storedSpec(await read<Spec>(RUN_FILES.spec));
  const provenance = await read<Provenance>(RUN_FILES.provenance);
  const jobs = await readJobs(folder);
  const job = jobs?.submitted.find((each) => each.name === name);
  if (jobs === undefined || job === undefined) {
    throw new PmvxError(ExitCode.usage, {
      where: folder,
      what: `was not handed in as ${name}`,
      next: 'Cancel this job with scancel',
    });
  }
  const plan = planTrials(spec);
  if (plan.digest === jobs.plan) return { spec, plan, provenance, jobs, job };
  throw new PmvxError(ExitCode.usage, {
    where: folder,
    what: 'its spec is not the one that was handed in, or this version plans it in another way',
    next: 'Cancel the run with `pmvx slurm cancel`, and start it anew',
  });
}

/** The trials that a task of an array has yet to run: its units', without those that were recorded before or by its earlier attempts. */
export async function trialsOfTask(
  folder: string,
  basis: TaskBasis,
  { name, task }: TaskId,
): Promise<PlannedTrial[]> {
  const { job } = basis;
  const done = new Set(job.done);
  for (const attempt of await attemptsOf(folder, name)) {
    if (attempt.task !== task) continue;
    const { records } = await readLog(join(attempt.folder, RUN_FILES.log), ({ trial }) => trial);
    for (const trial of records) done.add(trial);
  }
  return trialsOf(basis, job.tasks[task - 1] ?? []).filter(({ trial }) => !done.has(trial));
}

function trialsOf({ spec, plan }: TaskBasis, units: readonly Unit[]): PlannedTrial[] {
  const byBlock = Map.groupBy(units, ({ block }) => block);
  return plan.trials.filter((trial) => byBlock.get(trial.block)?.some((unit) => isOf(trial, unit, spec)));
}

/**
 * The trials that a task of a check runs once more: a unit of its own that is recorded whole, none of it on the node `here`. Which, the
 * spec's seed says. Undefined when there is none.
 */
export async function trialsToCheck(
  folder: string,
  basis: TaskBasis,
  { task }: TaskId,
  here: string,
): Promise<PlannedTrial[] | undefined> {
  const { spec, jobs, job, plan } = basis;
  const nodesOf = new Map<string, string>();
  for (const part of await recordedParts(folder, jobs)) {
    const nodes = await readNodes(part);
    await readLog(join(part, RUN_FILES.log), ({ trial, host }) => {
      const name = nodes[host.fingerprint ?? '']?.name;
      if (name !== undefined) nodesOf.set(trial, name);
    });
  }
  const elsewhere = (trial: PlannedTrial) => {
    const node = nodesOf.get(trial.trial);
    return node !== undefined && node !== here;
  };
  const own = job.tasks[task - 1] ?? [];
  const fit = unitsOf(trialsOf(basis, own), spec, jobs.split).flatMap((unit) => {
    const trials = plan.trials.filter((trial) => isOf(trial, unit, spec));
    return trials.every(elsewhere) ? [trials] : [];
  });
  return fit[deriveSeed(spec.seeds.base, 'check', job.name, task) % Math.max(1, fit.length)];
}

/** Every folder that holds records of the run: what was collected, and what tasks have recorded since. */
async function recordedParts(folder: string, jobs: SlurmJobs): Promise<string[]> {
  const arrays = jobs.submitted.filter(({ kind }) => kind === 'trials');
  const attempts = await Promise.all(arrays.map(({ name }) => attemptsOf(folder, name)));
  return [folder, ...attempts.flat().map((attempt) => attempt.folder)];
}
