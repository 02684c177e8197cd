// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { keyOf, parseStates, type TaskState } from './task-states.ts';

/** What is asked of a site's Slurm; every call is one of its own programs. */
export interface SlurmClient {
  /** Hands a job in with options and a script with its arguments; gives Slurm's number of it. */
  submit(options: readonly string[], script: readonly string[]): Promise<string>;
  /** The number of the job with this name that the user handed in; undefined when there is none. */
  find(name: string): Promise<string | undefined>;
  /** What accounting knows of jobs' tasks, as they are now; undefined where the site keeps no accounts. */
  accounts(jobs: readonly string[]): Promise<TaskState[] | undefined>;
  /** Tasks that the controller still has in its queue, waiting or running. */
  queue(jobs: readonly string[]): Promise<TaskState[]>;
  cancel(jobs: readonly string[]): Promise<void>;
  /** Lets tasks go on that Slurm holds. */
  release(tasks: readonly TaskState[]): Promise<void>;
  /** Most tasks that an array may have here. */
  largestArray(): Promise<number>;
}

/** Slurm's daemons cannot be reached: what was asked may work a moment later. */
export class SlurmAway extends PmvxError {
  constructor(what: string) {
    super(ExitCode.environment, {
      what,
      next: 'Slurm runs what it was given meanwhile; try again when its controller answers',
    });
    this.name = 'SlurmAway';
  }
}

/** A question that Slurm did not answer, for whatever reason it gave: it says nothing of the jobs, and may be answered a moment later. */
export class SlurmUnanswered extends PmvxError {
  constructor(program: string, words: string) {
    super(ExitCode.environment, {
      where: program,
      what: `Slurm does not answer: ${words.split('\n').map(stripped).join('; ')}`,
      next: 'The jobs are not touched by that. See whether it answers by hand, then ask again',
    });
    this.name = 'SlurmUnanswered';
  }
}

/** How often a question is asked before its failure is told, and the pause before it is asked again. */
export interface Patience {
  readonly tries: number;
  readonly pauseMs: number;
  /** Longest time that one of Slurm's programs may take. */
  readonly timeoutMs: number;
}

const PATIENCE: Patience = { tries: 3, pauseMs: 2000, timeoutMs: 120_000 };

const AWAY =
  /resource temporarily unavailable|standby mode|controller (?:is )?not responding|message (?:send|receive) (?:failure|timeout)|transport endpoint|unable to contact|connect failure|connection refused|timed out|zero bytes were transmitted|persist(?:ent)? conn|communications? connection failure|slurmdbd.*(?:not responding|down)|no route to host|unable to open slurmdbd/i;
const NO_ACCOUNTS = /accounting storage is disabled/i;
const UNKNOWN_JOB = /invalid job id/i;

const MAX_ARRAY = 1001;

/** The site's Slurm, found by its programs on PATH. Only a refusal of a job ends at once; a question that fails is asked again. */
export function siteSlurm(signal?: AbortSignal, patience = PATIENCE): SlurmClient {
  const call = (program: string, args: readonly string[]) => callSlurm(program, args, signal, patience);
  /** Output, or undefined when it failed with words that are an answer, too. */
  const ask = async (
    program: string,
    args: readonly string[],
    answer?: RegExp,
  ): Promise<string | undefined> => {
    for (let tries = 1; ; tries++) {
      try {
        const { failed, stdout, words } = await call(program, args);
        if (!failed) return stdout;
        if (answer?.test(words)) return undefined;
        throw new SlurmUnanswered(program, words);
      } catch (error) {
        if (!isPassing(error) || tries >= patience.tries) throw error;
        await delay(patience.pauseMs, undefined, signal === undefined ? {} : { signal });
      }
    }
  };
  const queued = async (args: readonly string[]): Promise<TaskState[]> => {
    const format = ['--noheader', '--array', '--format=%i|%T|%N|%r'];
    return parseStates((await ask('squeue', [...format, ...args], UNKNOWN_JOB)) ?? '');
  };
  return {
    async submit(options, script) {
      const said = requireDone('sbatch', await call('sbatch', ['--parsable', ...options, ...script]));
      // `number` or `number;cluster`.
      const id = /^(\d+)(?:;\S*)?$/m.exec(said)?.[1];
      if (id !== undefined) return id;
      throw new PmvxError(ExitCode.environment, {
        where: 'sbatch',
        what: `gave no number of the job: ${JSON.stringify(said)}`,
      });
    },
    async find(name) {
      const known = await queued(['--me', '--name', name, '--states=all']);
      if (known[0] !== undefined) return known[0].job;
      const said = await ask('sacct', [...SACCT, '--name', name], NO_ACCOUNTS);
      return said === undefined ? undefined : parseStates(said)[0]?.job;
    },
    async accounts(jobs) {
      if (jobs.length === 0) return [];
      const said = await ask('sacct', [...SACCT, '--jobs', jobs.join(',')], NO_ACCOUNTS);
      return said === undefined ? undefined : parseStates(said);
    },
    queue: async (jobs) => (jobs.length === 0 ? [] : queued(['--jobs', jobs.join(',')])),
    async cancel(jobs) {
      if (jobs.length > 0) await ask('scancel', ['--quiet', ...jobs], UNKNOWN_JOB);
    },
    async release(tasks) {
      await ask('scontrol', ['release', tasks.map(keyOf).join(',')], UNKNOWN_JOB);
    },
    async largestArray() {
      const text = (await ask('scontrol', ['show', 'config'])) ?? '';
      const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(text)?.[1] ?? MAX_ARRAY);
      // Tasks count from 1, and MaxArraySize bounds the number of the last.
      return Math.max(1, size - 1);
    },
  };
}

/** Whether the same question may be answered a moment later. */
export function isPassing(error: unknown): boolean {
  return error instanceof SlurmAway || error instanceof SlurmUnanswered;
}

const SACCT = ['--allocations', '--noheader', '--parsable2', '--format=JobID,State,NodeList'] as const;

interface Ended {
  readonly failed: boolean;
  readonly stdout: string;
  /** What it said about why it failed. */
  readonly words: string;
}

async function callSlurm(
  program: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
  { timeoutMs }: Patience,
): Promise<Ended> {
  const ended = await execa(program, args, {
    reject: false,
    stdin: 'ignore',
    timeout: timeoutMs,
    // Lists of tasks in full, words in English.
    env: { SLURM_BITSTR_LEN: '0', SLURM_TIME_FORMAT: 'standard', LC_ALL: 'C' },
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (ended.failed && ended.code === 'ENOENT') {
    throw new PmvxError(ExitCode.environment, {
      where: program,
      what: "not on this machine: Slurm's own programs hand in, watch and cancel jobs",
      next: 'Run this on a host from which jobs are submitted, with them on PATH (Debian: slurm-client)',
    });
  }
  if (ended.timedOut) throw new SlurmAway(`${program}: no answer in ${timeoutMs / 1000} s`);
  const words = (ended.stderr || ended.stdout || ended.shortMessage || '').trim();
  if (ended.failed && AWAY.test(words)) throw new SlurmAway(`${program}: ${lastLine(words)}`);
  return { failed: ended.failed, stdout: ended.stdout, words };
}

function requireDone(program: string, { failed, stdout, words }: Ended): string {
  if (!failed) return stdout;
  throw new PmvxError(ExitCode.environment, {
    where: program,
    what: `Slurm refused: ${words.split('\n').map(stripped).join('; ')}`,
    next: 'Other options for sbatch can be given with --sbatch, such as --sbatch=--account=NAME',
  });
}

function stripped(line: string): string {
  return line.replace(/^\w+: (?:error: )?/, '');
}

function lastLine(words: string): string {
  return stripped(words.split('\n').at(-1) ?? words);
}
