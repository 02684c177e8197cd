// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { attemptsOf } from '../scale/slurm/attempts.ts';
import { SlurmAway, type SlurmClient, siteSlurm } from '../scale/slurm/client.ts';
import { Collector } from '../scale/slurm/collect.ts';
import { isAlive, type TaskState } from '../scale/slurm/task-states.ts';
import { readLog } from '../store/read-log.ts';
import { openRun, RUN_FILES, readRun } from '../store/run-folder.ts';
import { writeTrialsCsv } from '../store/trials-csv.ts';
import type { CommandContext } from './context.ts';
import { findRun } from './find-run.ts';
import { attachToSlurm, requireJobs } from './run-on-slurm.ts';
import { describeTasks } from './slurm-watcher.ts';

const POLL_MS = 1000;

function folderOf(name: string, context: CommandContext): Promise<string> {
  return findRun(name, join(context.root, 'results', 'runs'));
}

/** `pmvx slurm attach RUN`. */
export async function slurmAttachCommand(
  name: string,
  options: { readonly report?: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  return attachToSlurm(await folderOf(name, context), options, context);
}

/** `pmvx slurm status RUN`: what accounting says of its tasks, and how much is recorded. Changes nothing. */
export async function slurmStatusCommand(
  name: string,
  options: { readonly json?: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const folder = await folderOf(name, context);
  const jobs = await requireJobs(folder);
  const client = siteSlurm(context.signal);
  const ids = jobs.submitted.flatMap(({ id }) => id ?? []);
  const states = (await client.accounts(ids)) ?? (await client.queue(ids));
  const { plan, records } = await readRun(folder, ({ trial, ...rest }) => ({ ...rest, trial }));
  const recorded = new Set(records.map(({ trial }) => trial));
  for (const job of jobs.submitted.filter(({ kind }) => kind === 'trials')) {
    for (const attempt of await attemptsOf(folder, job.name)) {
      const { records: own } = await readLog(join(attempt.folder, RUN_FILES.log), ({ trial }) => trial);
      for (const trial of own) recorded.add(trial);
    }
  }
  const planned = plan.trials.length;
  if (options.json === true) {
    context.write(
      JSON.stringify({ v: 1, planned, recorded: recorded.size, jobs: jobs.submitted, states }, null, 2),
    );
    return ExitCode.ok;
  }
  context.write(`${recorded.size} of ${planned} trials recorded`);
  for (const { name: job, id, kind } of jobs.submitted) {
    const own = states.filter((state) => state.job === id);
    context.write(`${(id ?? '-').padEnd(8)} ${kind.padEnd(8)} ${job}  ${describeTasks(own)}`);
  }
  return ExitCode.ok;
}

/** `pmvx slurm cancel RUN`: ends its tasks, waits until they are gone, and keeps what they have recorded. */
export async function slurmCancelCommand(name: string, context: CommandContext): Promise<ExitCode> {
  const folder = await folderOf(name, context);
  const jobs = await requireJobs(folder);
  const client = siteSlurm(context.signal);
  const ids: string[] = [];
  for (const { name: job, id } of jobs.submitted) {
    const found = id ?? (await client.find(job));
    if (found !== undefined) ids.push(found);
  }
  await client.cancel(ids);
  await untilGone(client, ids, context);
  const run = await openRun(folder).catch((error: unknown) => {
    if (error instanceof PmvxError && error.code === ExitCode.failure) return undefined;
    throw error;
  });
  if (run === undefined) {
    context.write('cancelled; who watches the run takes in what was recorded');
    return ExitCode.ok;
  }
  try {
    const collector = await Collector.open({
      run,
      watch: () => undefined,
      warn: (line) => context.warn(`pmvx: ${line}`),
    });
    await collector.collect(jobs.submitted);
    await collector.removeParts(jobs.submitted);
    await writeTrialsCsv(join(folder, RUN_FILES.csv), run.log.records);
    const { length } = run.log.records;
    context.write(
      `cancelled: ${length} of ${run.plan.trials.length} trials are recorded, and stay so; pmvx run --resume goes on with them`,
    );
  } finally {
    await run.close();
  }
  return ExitCode.ok;
}

/** Until no task is in the queue any more: a task that is being stopped may yet record a trial. */
async function untilGone(
  client: SlurmClient,
  ids: readonly string[],
  context: CommandContext,
): Promise<void> {
  const pollMs = Number(context.env.PMVX_SLURM_POLL_MS ?? POLL_MS);
  for (;;) {
    const queue: readonly TaskState[] | undefined = await client.queue(ids).catch((error: unknown) => {
      if (error instanceof SlurmAway) return undefined;
      throw error;
    });
    if (queue !== undefined && !queue.some(isAlive)) return;
    await delay(pollMs, undefined, { signal: context.signal });
  }
}
