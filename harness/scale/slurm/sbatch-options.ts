// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Machine } from '../../core/spec.ts';
import { isDeterministic } from '../merge/same-result.ts';
import { SLURM_FILES, type SlurmJob, type SlurmJobs, slurmFolder } from './jobs-file.ts';

/** Memory of an emulated machine besides its guest's, and of pmvx itself, MiB. */
const MIB_A_MACHINE = 1024 + 64;
const MIB_A_TASK = 512;

/** Seconds before a task's time is up at which it stops cleanly. */
const STOP_BEFORE_S = 120;

/** What `sbatch` is told of a job of the run in `folder`, besides the script. */
export function sbatchOptions(
  folder: string,
  jobs: SlurmJobs,
  job: Pick<SlurmJob, 'name' | 'kind' | 'tasks'>,
  machine: Machine,
  after: readonly string[] = [],
): string[] {
  const log = join(slurmFolder(folder), SLURM_FILES.log, '%x-%a.log');
  const array = job.kind === 'prepare' ? [] : [`--array=1-${job.tasks.length}${atOnce(jobs)}`];
  return [
    `--job-name=${job.name}`,
    ...array,
    ...places(jobs, job.kind),
    ...resources(jobs, machine),
    '--requeue',
    '--open-mode=append',
    `--output=${job.kind === 'prepare' ? log.replace('-%a', '') : log}`,
    `--signal=B:USR1@${STOP_BEFORE_S}`,
    ...(after.length === 0 ? [] : [`--dependency=${after.join(',')}`, '--kill-on-invalid-dep=yes']),
    // The user's come last, and so take the place of ours.
    ...jobs.options,
  ];
}

/** One node for a task; of a broadcast, one process on each of its nodes. */
function places({ broadcast = 1 }: SlurmJobs, kind: SlurmJob['kind']): string[] {
  const nodes = kind === 'prepare' ? broadcast : 1;
  return [`--nodes=${nodes}`, `--ntasks=${nodes}`, '--ntasks-per-node=1'];
}

function atOnce({ atOnce: most }: SlurmJobs): string {
  return most === undefined ? '' : `%${most}`;
}

/** Processors and memory of a task; in real time nobody else is to be on its node. */
function resources({ jobs }: SlurmJobs, { engine, vcpus, memoryMiB }: Machine): string[] {
  if (engine === 'mock') return ['--cpus-per-task=1'];
  const memory = `--mem=${jobs * (memoryMiB + MIB_A_MACHINE) + MIB_A_TASK}M`;
  if (isDeterministic(engine)) return [`--cpus-per-task=${jobs}`, memory];
  return [`--cpus-per-task=${jobs * vcpus}`, memory, '--exclusive'];
}
