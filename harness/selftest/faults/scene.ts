// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SUMS_FILE } from '../../store/run-sums.ts';

const CLI = resolve(import.meta.dirname, '../../cli.ts');

/** How a controller ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A `pmvx` that runs. */
export interface Controller {
  readonly pid: number;
  readonly ended: Promise<End>;
  /** All that it has printed so far. */
  out(): string;
  /** Its words on stderr so far. */
  err(): string;
}

export interface StartOptions {
  /** Options of Node, before the command. */
  readonly node?: readonly string[];
  /** What starts it, such as `unshare --time`. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A run in a folder of its own, which things happen to. */
export interface RunScene {
  readonly folder: string;
  /** The disk that the run is on: a folder, or where a file system is mounted. */
  readonly disk: string;
  /** The run; its name, which is a column of its table, is the same in all scenes. */
  readonly out: string;
  readonly cache: string;
  readonly spec: string;
  readonly total: number;
  readonly engine: 'mock' | 'exact';
  /** Starts the run, or goes on with it when it was begun. */
  start(options?: StartOptions): Controller;
  /** Whole lines in the log. */
  recorded(): number;
  /** What has to be taken back at the end, the last first: mounts. */
  readonly undo: (() => Promise<void>)[];
}

export interface SceneOptions {
  readonly folder: string;
  readonly engine: 'mock' | 'exact';
  readonly spec: string;
  readonly total: number;
  readonly cache: string;
  readonly jobs: number;
}

/** How long a mock trial takes: a few are running whenever something happens. */
const MOCK_TRIAL_MS = '20';

export async function runScene(options: SceneOptions): Promise<RunScene> {
  const { folder, jobs, spec, cache } = options;
  const [disk, tmp] = [join(folder, 'disk'), join(folder, 'tmp')];
  const out = join(disk, 'run');
  await mkdir(disk, { recursive: true });
  await mkdir(tmp, { recursive: true });
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', TMPDIR: tmp, PMVX_CACHE: cache };
  const start = ({ node = [], prefix = [], env: more = {} }: StartOptions = {}): Controller => {
    const resume = existsSync(join(out, 'provenance.json')) ? ['--resume'] : [];
    const run = ['run', spec, '--no-report', '--jobs', String(jobs), '--out', out, ...resume];
    const [program = '', ...args] = [...prefix, process.execPath, ...node, CLI, ...run];
    return startController(program, args, { ...env, PMVX_MOCK_TRIAL_MS: MOCK_TRIAL_MS, ...more }, folder);
  };
  const recorded = () => wholeLines(join(out, 'trials.jsonl'));
  return { ...options, disk, out, start, recorded, undo: [] };
}

/** Files of a run that are written once and vouched for. */
export const DESCRIPTION = ['spec.json', 'plan.json', 'provenance.json', SUMS_FILE] as const;

function wholeLines(path: string): number {
  try {
    return readFileSync(path, 'latin1').split('\n').length - 1;
  } catch {
    return 0;
  }
}

/** Starts `pmvx` with other arguments than those of a run. */
export function startPmvx(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Controller {
  const own = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env };
  return startController(process.execPath, [CLI, ...args], own, cwd);
}

export function startController(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Controller {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  // A campaign that is stopped leaves no run behind.
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }) as End);
  return { pid: child.pid as number, ended, out: () => said.stdout, err: () => said.stderr };
}
