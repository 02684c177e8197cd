// SPDX-License-Identifier: Apache-2.0
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

const AWAY =
  /unable to contact|connect failure|connection refused|timed out|zero bytes were transmitted|persist(?:ent)? conn|communications? connection failure|slurmdbd.*(?:not responding|down)|no route to host|unable to open slurmdbd/i;
const NO_ACCOUNTS = /accounting storage is disabled/i;
const UNKNOWN_JOB = /invalid job id/i;

const MAX_ARRAY = 1001;

/** The site's Slurm, found by its programs on PATH. */
export function siteSlurm(signal?: AbortSignal): SlurmClient {
  const call = (program: string, args: readonly string[]) => callSlurm(program, args, signal);
  const queued = async (args: readonly string[]): Promise<TaskState[]> => {
    const ended = await call('squeue', ['--noheader', '--array', '--format=%i|%T|%N|%r', ...args]);
    if (ended.failed && UNKNOWN_JOB.test(ended.words)) return [];
    return parseStates(requireDone('squeue', ended));
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
      const ended = await call('sacct', [...SACCT, '--name', name]);
      if (ended.failed && NO_ACCOUNTS.test(ended.words)) return undefined;
      return parseStates(requireDone('sacct', ended))[0]?.job;
    },
    async accounts(jobs) {
      if (jobs.length === 0) return [];
      const ended = await call('sacct', [...SACCT, '--jobs', jobs.join(',')]);
      if (ended.failed && NO_ACCOUNTS.test(ended.words)) return undefined;
      return parseStates(requireDone('sacct', ended));
    },
    queue: async (jobs) => (jobs.length === 0 ? [] : queued(['--jobs', jobs.join(',')])),
    async cancel(jobs) {
      if (jobs.length === 0) return;
      const ended = await call('scancel', ['--quiet', ...jobs]);
      if (!(ended.failed && UNKNOWN_JOB.test(ended.words))) requireDone('scancel', ended);
    },
    async release(tasks) {
      const ended = await call('scontrol', ['release', tasks.map(keyOf).join(',')]);
      if (!(ended.failed && UNKNOWN_JOB.test(ended.words))) requireDone('scontrol', ended);
    },
    async largestArray() {
      const text = requireDone('scontrol', await call('scontrol', ['show', 'config']));
      const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(text)?.[1] ?? MAX_ARRAY);
      // Tasks count from 1, and MaxArraySize bounds the number of the last.
      return Math.max(1, size - 1);
    },
  };
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
): Promise<Ended> {
  const ended = await execa(program, args, {
    reject: false,
    stdin: 'ignore',
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
