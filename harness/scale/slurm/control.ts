// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { deriveSeed, shuffled } from '../../core/seed.ts';
import type { PlannedTrial } from '../../core/trial.ts';
import type { EarlyStop, RunEnd } from '../../run/controller.ts';
import type { RunWatcher } from '../../run/events.ts';
import { makeFolder } from '../../store/atomic-write.ts';
import { brokenRun } from '../../store/checks.ts';
import type { OpenRun } from '../../store/run-folder.ts';
import { isDeterministic } from '../merge/same-result.ts';
import { isPassing, SlurmAway, type SlurmClient } from './client.ts';
import { Collector } from './collect.ts';
import { SLURM_FILES, type SlurmJob, type SlurmJobs, slurmFolder, withJob, writeJobs } from './jobs-file.ts';
import { sbatchOptions } from './sbatch-options.ts';
import { isAlive, keyOf, type TaskState } from './task-states.ts';
import { dealUnits, type Unit, unitsOf } from './tasks.ts';

export interface SlurmRun {
  readonly run: OpenRun;
  readonly jobs: SlurmJobs;
  readonly client: SlurmClient;
  /** The batch script and its arguments. */
  readonly script: readonly string[];
  readonly watch: RunWatcher;
  /** What tasks do, whenever it has changed. */
  readonly tell: (states: readonly TaskState[]) => void;
  /** Told of what is odd, in a line. */
  readonly warn: (line: string) => void;
  /** Aborted by the user: the run goes on without this process. */
  readonly signal: AbortSignal;
  readonly pollMs: number;
  readonly stop?: EarlyStop;
  /** Hands in what is to be run, and does not wait. */
  readonly detach?: boolean;
}

/** How watching a run ended; `interrupted`: Slurm goes on with it. */
export interface SlurmEnd {
  readonly end: RunEnd;
  /** Blocks that were enough. */
  readonly enough?: number;
}

/**
 * Hands the trials that are not recorded in to Slurm, block by block, and takes in what tasks record until all is there. What was handed in
 * before, by this process or another, is not handed in again. Throws PmvxError when a task has ended without its trials.
 */
export async function runOnSlurm(given: SlurmRun): Promise<SlurmEnd> {
  const control = new Control(given, await Collector.open(given));
  given.watch({ kind: 'begun', total: given.run.plan.trials.length, recorded: [...given.run.log.records] });
  try {
    return await control.run();
  } catch (error) {
    if (given.signal.aborted && !(error instanceof PmvxError && error.code === ExitCode.image)) {
      return { end: 'interrupted' };
    }
    throw error;
  }
}

class Control {
  readonly #given: SlurmRun;
  readonly #collector: Collector;
  #jobs: SlurmJobs;
  /** Jobs that this process has handed in: what they leave undone is not tried again by it. */
  readonly #own = new Set<string>();
  /** How often each task was released. */
  readonly #released = new Map<string, number>();
  #away = false;

  constructor(given: SlurmRun, collector: Collector) {
    this.#given = given;
    this.#collector = collector;
    this.#jobs = given.jobs;
  }

  async run(): Promise<SlurmEnd> {
    const { run, stop, signal } = this.#given;
    await makeFolder(join(slurmFolder(run.folder), SLURM_FILES.log));
    await writeJobs(run.folder, this.#jobs);
    await this.#findLostJobs();
    for (const look of stop?.looks ?? [Number.POSITIVE_INFINITY]) {
      const due = run.plan.trials.filter(({ block }) => block < look);
      const end = await this.#until(due);
      if (end !== undefined) return { end };
      signal.throwIfAborted();
      const last = look >= (stop?.looks.at(-1) ?? 0);
      const seen = run.log.records.filter(({ block }) => block < look);
      if (!last && stop?.enough(seen, look) === true) {
        await this.#finish();
        return { end: 'enough', enough: look };
      }
    }
    await this.#finish();
    return { end: 'complete' };
  }

  /** Waits until all of `due` is recorded and checked; undefined when it is, else why it never will be. */
  async #until(due: readonly PlannedTrial[]): Promise<RunEnd | undefined> {
    const { signal, detach } = this.#given;
    for (;;) {
      const states = await this.#look();
      const missing = due.filter(({ trial }) => !this.#collector.recorded.has(trial));
      if (this.#tooMany()) {
        await this.#persist(() => this.#given.client.cancel(this.#ids()));
        return 'too-many-failures';
      }
      if (missing.length === 0 && !states.some(isAlive)) return undefined;
      if (missing.length > 0) await this.#submitMissing(missing, states);
      if (detach === true) return 'interrupted';
      await delay(this.#given.pollMs, undefined, { signal });
    }
  }

  /** Takes in new records, then tells what tasks do. States are asked first: who has ended by then has recorded all before. */
  async #look(): Promise<TaskState[]> {
    const states = await this.#persist(() => this.#states());
    await this.#collector.collect(this.#jobs.submitted);
    this.#given.tell(states);
    await this.#release(states.filter(({ held }) => held === true));
    const words = Object.values(this.#collector.checks.differ);
    if (words.length === 0) return states;
    // What a broken lab yet measures is worth nothing.
    await this.#persist(() => this.#given.client.cancel(this.#ids()));
    throw brokenRun(this.#given.run.folder, words);
  }

  /** Slurm holds a task that it could not start, for good; we let it try again, a few times. */
  async #release(held: readonly TaskState[]): Promise<void> {
    const due = held.filter((state) => (this.#released.get(keyOf(state)) ?? 0) < MOST_RELEASES);
    if (due.length === 0) return;
    for (const state of due) {
      const times = (this.#released.get(keyOf(state)) ?? 0) + 1;
      this.#released.set(keyOf(state), times);
      const last = times === MOST_RELEASES ? '; the last time: scontrol release is up to you' : '';
      this.#given.warn(`Slurm could not start task ${keyOf(state)} and held it; released${last}`);
    }
    await this.#persist(() => this.#given.client.release(due));
  }

  /**
   * Hands in what is missing and in no job that may yet run it. A job of this process that has ended without its trials is the end: Slurm has
   * tried again as often as it does, and somebody has to look.
   */
  async #submitMissing(missing: readonly PlannedTrial[], states: readonly TaskState[]): Promise<void> {
    const alive = new Set(states.filter(isAlive).map(({ job }) => job));
    const { spec, folder } = this.#given.run;
    const unitsIn = (jobs: readonly SlurmJob[]) =>
      new Set(jobs.filter(({ kind }) => kind === 'trials').flatMap(({ tasks }) => tasks.flat().map(nameOf)));
    const awaited = unitsIn(this.#jobs.submitted.filter(({ id }) => alive.has(id ?? '')));
    const tried = unitsIn(this.#jobs.submitted.filter(({ name }) => this.#own.has(name)));
    const units = unitsOf(missing, spec, this.#jobs.split).filter((unit) => !awaited.has(nameOf(unit)));
    if (units.length === 0) return;
    const fresh = units.filter((unit) => !tried.has(nameOf(unit)));
    if (fresh.length > 0) return this.#submitUnits(fresh, alive);
    if (alive.size === 0) throw unfinished(missing.length, states, folder);
  }

  async #submitUnits(units: readonly Unit[], alive: ReadonlySet<string>): Promise<void> {
    const { client, run } = this.#given;
    const { spec } = run;
    const largest = await this.#persist(() => client.largestArray());
    const tasks = dealUnits(units, Math.min(this.#jobs.arrayMax, largest));
    const blocks = new Set(units.map(({ block }) => block));
    const done = run.log.records.filter(({ block }) => blocks.has(block)).map(({ trial }) => trial);
    const before = await this.#prepare(alive);
    const name = this.#name();
    const id = await this.#submit({ name, kind: 'trials', tasks, done }, before);
    const every = this.#jobs.checkEvery;
    if (every === 0 || !isDeterministic(spec.machine.engine)) return;
    // Which blocks are measured twice nobody can know beforehand who is to measure them.
    const drawn = shuffled(units, deriveSeed(spec.seeds.base, 'checks', name));
    const checks = dealUnits(drawn, Math.ceil(units.length / every));
    await this.#submit({ name: `${name}-check`, kind: 'check', tasks: checks, done: [] }, [`afterany:${id}`]);
  }

  /** A job that brings image and snapshot once, before the first array; what an array has to wait for. */
  async #prepare(alive: ReadonlySet<string>): Promise<string[]> {
    if (this.#given.run.spec.machine.engine === 'mock') return [];
    const own = this.#jobs.submitted.find(({ kind, name }) => kind === 'prepare' && this.#own.has(name));
    // Slurm forgets jobs that have ended, and refuses to wait for one that it has forgotten.
    if (own?.id !== undefined) return alive.has(own.id) ? [`afterok:${own.id}`] : [];
    const job = { name: `${this.#name()}-prepare`, kind: 'prepare' as const, tasks: [], done: [] };
    return [`afterok:${await this.#submit(job, [])}`];
  }

  #name(): string {
    return `pmvx-${this.#given.run.provenance.run}-${randomBytes(4).toString('hex')}`;
  }

  /** Written down before it is handed in, so that no job is ever forgotten. */
  async #submit(job: Omit<SlurmJob, 'id'>, after: readonly string[]): Promise<string> {
    const { run, client, script } = this.#given;
    this.#own.add(job.name);
    await this.#keep({ ...this.#jobs, submitted: [...this.#jobs.submitted, job] });
    const options = sbatchOptions(run.folder, this.#jobs, job, run.spec.machine, after);
    const id = await this.#persist(async (again) => {
      // Slurm may have taken it, and the answer been lost.
      const taken = again ? await client.find(job.name) : undefined;
      return taken ?? client.submit(options, script);
    });
    await this.#keep(withJob(this.#jobs, job.name, { id }));
    return id;
  }

  /** Jobs of which an earlier process had not yet heard that Slurm has them. */
  async #findLostJobs(): Promise<void> {
    for (const { name, id } of this.#jobs.submitted) {
      if (id !== undefined) continue;
      const found = await this.#persist(() => this.#given.client.find(name));
      if (found !== undefined) await this.#keep(withJob(this.#jobs, name, { id: found }));
      else
        await this.#keep({
          ...this.#jobs,
          submitted: this.#jobs.submitted.filter((job) => job.name !== name),
        });
    }
  }

  async #keep(jobs: SlurmJobs): Promise<void> {
    this.#jobs = jobs;
    await writeJobs(this.#given.run.folder, jobs);
  }

  #ids(): string[] {
    return this.#jobs.submitted.flatMap(({ id }) => id ?? []);
  }

  /** What accounting says of each task, and the queue of those that are in it: a task that is about to be requeued has ended for neither. */
  async #states(): Promise<TaskState[]> {
    const { client } = this.#given;
    const queue = await client.queue(this.#ids());
    const accounts = (await client.accounts(this.#ids())) ?? [];
    const states = new Map(accounts.map((state) => [`${state.job} ${state.task ?? ''}`, state]));
    for (const state of queue) states.set(`${state.job} ${state.task ?? ''}`, state);
    // Accounts may lag: who is in no queue any more has ended, whatever they say.
    const queued = new Set(queue.map(({ job, task }) => `${job} ${task ?? ''}`));
    return [...states].map(([key, state]) =>
      isAlive(state) && !queued.has(key) ? { ...state, state: 'ENDED' } : state,
    );
  }

  #tooMany(): boolean {
    const { run } = this.#given;
    const failures = run.log.records.filter(({ state }) => state !== 'completed').length;
    return failures > (run.spec.stop.maxFailures ?? Number.POSITIVE_INFINITY);
  }

  async #finish(): Promise<void> {
    await this.#collector.removeParts(this.#jobs.submitted);
  }

  /**
   * Asks Slurm until it answers: its controller may be restarted meanwhile. While that cannot be reached, for as long as it takes; where it
   * answers with a failure, so many times in a row. What refuses a job is an answer, and ends the watching.
   */
  async #persist<T>(ask: (again: boolean) => Promise<T>): Promise<T> {
    for (let failures = 0, again = false; ; again = true) {
      try {
        const answer = await ask(again);
        this.#away = false;
        return answer;
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (!(error instanceof SlurmAway) && ++failures >= MOST_FAILURES) throw error;
        if (!this.#away) this.#given.warn(`${(error as PmvxError).message.split('\n')[0]}`);
        this.#away = true;
        await delay(this.#given.pollMs, undefined, { signal: this.#given.signal });
      }
    }
  }
}

const MOST_FAILURES = 20;
const MOST_RELEASES = 3;

function nameOf({ block, use }: Unit): string {
  return `${block} ${use ?? ''}`;
}

function unfinished(missing: number, states: readonly TaskState[], folder: string): PmvxError {
  const ends = states
    .filter(({ state }) => state !== 'COMPLETED' && state !== 'ENDED')
    .map(
      ({ job, task, state, node }) =>
        `${job}${task === undefined ? '' : `_${task}`} ${state}${node === undefined ? '' : ` on ${node}`}`,
    );
  const words =
    ends.length === 0
      ? ''
      : `: ${ends.slice(0, 5).join(', ')}${ends.length > 5 ? `, ${ends.length - 5} more` : ''}`;
  return new PmvxError(ExitCode.incomplete, {
    where: folder,
    what: `${missing} trials were not recorded by tasks that have ended${words}`,
    next: `See why in ${join(slurmFolder(folder), SLURM_FILES.log)}; --resume hands them in once more`,
  });
}
