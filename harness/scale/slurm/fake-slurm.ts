// SPDX-License-Identifier: Apache-2.0
import { type MockScript, mockEngine } from '../../lab/mock.ts';
import { CATALOG } from '../../run/scene.ts';
import type { NodeFacts } from '../../store/nodes.ts';
import { STEADY } from '../merge/scene.ts';
import { SlurmAway, type SlurmClient, SlurmUnanswered } from './client.ts';
import { runAttempt } from './run-attempt.ts';
import { readTaskBasis, type TaskId, trialsOfTask, trialsToCheck } from './task.ts';
import type { TaskState } from './task-states.ts';

/** What becomes of one start of a task. */
export interface FakeStart {
  /** The node that it is started on. */
  readonly node?: string;
  readonly script?: MockScript;
  /** Only the first so many of its trials are recorded; then the task ends as `state` says. */
  readonly trials?: number;
  /** `REQUEUED`: Slurm starts it once more; `REQUEUE_HOLD`: as soon as it is released. */
  readonly state?: string;
}

interface FakeTask {
  readonly id: TaskId;
  readonly job: string;
  readonly task?: number;
  state: string;
  restart: number;
  held?: true;
  node?: string;
}

/**
 * Slurm within this process, for tests: a task runs, whole, when its job is next asked for, by the code that a node would run. `start` says
 * what becomes of each start.
 */
export class FakeSlurm implements SlurmClient {
  readonly submitted: string[][] = [];
  readonly #folder: string;
  readonly #start: (id: TaskId) => FakeStart;
  readonly #tasks: FakeTask[] = [];
  readonly #after = new Map<string, string>();
  /** How many calls go unanswered, and whether a job is taken although the answer to its submission is lost. */
  away = 0;
  /** So many questions get a failure that has nothing to do with them. */
  unanswered = 0;
  losesAnswers = false;
  held = false;

  constructor(folder: string, start: (id: TaskId) => FakeStart = () => ({})) {
    this.#folder = folder;
    this.#start = start;
  }

  async submit(options: readonly string[]): Promise<string> {
    this.#answer();
    this.submitted.push([...options]);
    const job = String(this.submitted.length);
    const value = (name: string) => options.find((each) => each.startsWith(`--${name}=`))?.split('=')[1];
    const name = value('job-name') as string;
    const last = Number(/^1-(\d+)/.exec(value('array') ?? '')?.[1] ?? 0);
    for (let task = 1; task <= last; task++) {
      this.#tasks.push({ id: { name, task, restart: 0 }, job, task, state: 'PENDING', restart: 0 });
    }
    const after = /^afterany:(\d+)$/.exec(value('dependency') ?? '')?.[1];
    if (after !== undefined) this.#after.set(job, after);
    if (!this.losesAnswers) return job;
    this.losesAnswers = false;
    throw new SlurmAway('sbatch: Socket timed out');
  }

  async find(name: string): Promise<string | undefined> {
    return this.#tasks.find(({ id }) => id.name === name)?.job;
  }

  async accounts(jobs: readonly string[]): Promise<TaskState[]> {
    return this.#states(jobs);
  }

  /** One start of each task that may start. */
  async queue(jobs: readonly string[]): Promise<TaskState[]> {
    this.#answer();
    for (const each of this.held ? [] : this.#tasks) {
      const waits = this.#tasks.some(
        ({ job, state }) => job === this.#after.get(each.job) && state === 'PENDING',
      );
      if (each.held !== true && each.state === 'PENDING' && jobs.includes(each.job) && !waits)
        await this.#run(each);
    }
    return this.#states(jobs).filter(({ state }) => state === 'PENDING');
  }

  async cancel(jobs: readonly string[]): Promise<void> {
    for (const each of this.#tasks) {
      if (jobs.includes(each.job) && each.state === 'PENDING') each.state = 'CANCELLED';
    }
  }

  async release(tasks: readonly TaskState[]): Promise<void> {
    for (const each of this.#tasks) {
      if (tasks.some(({ job, task }) => job === each.job && task === each.task)) delete each.held;
    }
  }

  async largestArray(): Promise<number> {
    return 1000;
  }

  async #run(each: FakeTask): Promise<void> {
    const id = { ...each.id, restart: each.restart };
    const { node = `n${id.task}`, script = STEADY, trials: most, state = 'COMPLETED' } = this.#start(id);
    const facts: NodeFacts = { name: node, cores: 2, memoryMiB: 1024, kernel: '6.1' };
    const basis = await readTaskBasis(this.#folder, id);
    const check = basis.job.kind === 'check';
    const trials = check
      ? await trialsToCheck(this.#folder, basis, id, node)
      : await trialsOfTask(this.#folder, basis, id);
    if (trials !== undefined && trials.length > 0) {
      await runAttempt(this.#folder, id, basis, {
        trials: trials.slice(0, most),
        engine: { ...mockEngine(script), name: basis.spec.machine.engine },
        catalog: CATALOG,
        node: facts,
        provenance: basis.provenance,
        signal: new AbortController().signal,
        watch: () => undefined,
      });
    }
    each.node = node;
    each.restart++;
    each.state = state === 'REQUEUED' || state === 'REQUEUE_HOLD' ? 'PENDING' : state;
    if (state === 'REQUEUE_HOLD') each.held = true;
  }

  #states(jobs: readonly string[]): TaskState[] {
    return this.#tasks
      .filter(({ job }) => jobs.includes(job))
      .map(({ job, task, state, node, held }) => ({
        job,
        ...(task === undefined ? {} : { task }),
        state,
        ...(node === undefined ? {} : { node }),
        ...(held === undefined ? {} : { held }),
      }));
  }

  #answer(): void {
    if (this.unanswered > 0) {
      this.unanswered--;
      throw new SlurmUnanswered('sacct', 'Immediate execution impossible, insufficient priority');
    }
    if (this.away === 0) return;
    this.away--;
    throw new SlurmAway('squeue: Unable to contact slurm controller');
  }
}
