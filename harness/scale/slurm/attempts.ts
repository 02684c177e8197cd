// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RUN_FILES } from '../../store/run-folder.ts';
import { SLURM_FILES, slurmFolder } from './jobs-file.ts';

/** One attempt of Slurm at a task, and the run folder in which it records. */
export interface Attempt {
  readonly job: string;
  readonly task: number;
  /** How often Slurm had started the task before. */
  readonly restart: number;
  readonly folder: string;
}

/** Where the attempts of all tasks of a job are. */
export function attemptsFolder(run: string, job: string): string {
  return join(slurmFolder(run), SLURM_FILES.parts, job);
}

/** Folder of an attempt. A node that was given up may still be at work in that of an earlier one: no two attempts share any. */
export function attemptFolder(run: string, { job, task, restart }: Omit<Attempt, 'folder'>): string {
  for (let again = 0; ; again++) {
    const folder = join(
      attemptsFolder(run, job),
      `${task}-${restart}${again === 0 ? '' : `-${String(again).padStart(3, '0')}`}`,
    );
    if (!existsSync(folder)) return folder;
  }
}

const NAME = /^(\d+)-(\d+)(?:-\d+)?$/;

/** The attempts of a job that have begun, the first of each task first. */
export async function attemptsOf(run: string, job: string): Promise<Attempt[]> {
  const folder = attemptsFolder(run, job);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name): Attempt[] => {
      const [, task, restart] = NAME.exec(name) ?? [];
      if (task === undefined || restart === undefined) return [];
      if (!existsSync(join(folder, name, RUN_FILES.log))) return [];
      return [{ job, task: Number(task), restart: Number(restart), folder: join(folder, name) }];
    })
    .sort((a, b) => a.task - b.task || a.restart - b.restart || (a.folder < b.folder ? -1 : 1));
}
