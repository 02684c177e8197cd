// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { shortDigest } from '../../core/ids.ts';
import type { Held, Holder } from './holder.ts';

export interface ProcessOptions {
  readonly argv: readonly string[];
  readonly ops: string;
  /** Told of each child, so that one that outlives its daemon is found. */
  readonly started?: (pid: number) => void;
  readonly ended?: (pid: number) => void;
}

/** The child gets SIGKILL when the process that started it ends (prctl(2), PR_SET_PDEATHSIG); util-linux brings the program. */
const DIES_WITH_PARENT = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'];
const STOP_MS = 3000;
/** Of what a scheduler says, the end is kept. */
const WORDS = 4096;

/** A scheduler that a program of its own loads and holds: a child that ends with the daemon. */
export function processHolder(options: ProcessOptions): Holder {
  const { argv } = options;
  const [program = ''] = argv;
  const { size, mtimeMs } = statSync(program);
  return {
    kind: 'process',
    version: shortDigest(JSON.stringify([argv, size, mtimeMs])),
    // It loads and attaches in one go: nothing can be made ready before the old one is gone.
    prepare: async () => ({
      take: async () => startScheduler(options),
      discard: async () => undefined,
    }),
  };
}

async function startScheduler({ argv, ops, started, ended }: ProcessOptions): Promise<Held> {
  const wrapped = existsSync(DIES_WITH_PARENT[0] as string) ? [...DIES_WITH_PARENT, ...argv] : argv;
  const child = spawn(wrapped[0] as string, wrapped.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  const hear = (chunk: Buffer) => {
    words = `${words}${chunk.toString('utf8')}`.slice(-WORDS);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  let end: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      end = `cannot be started: ${error.message}`;
      resolve();
    });
    child.once('exit', (code, signal) => {
      const how = signal === null ? `exited with status ${code}` : `was killed by ${signal}`;
      const last = words.trim().split('\n').slice(-3).join('; ');
      end = last === '' ? how : `${how}: ${last}`;
      if (child.pid !== undefined) ended?.(child.pid);
      resolve();
    });
  });
  await Promise.race([once(child, 'spawn'), gone]);
  if (end !== undefined) throw new Error(end);
  if (child.pid !== undefined) started?.(child.pid);
  return {
    ops,
    ended: () => end,
    proof: () => `process ${child.pid} holds it`,
    release: () => stop(child, gone),
  };
}

async function stop(child: ChildProcess, gone: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  // As Ctrl-C: schedulers detach, print their figures and end.
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(timer);
}

/** When a process began, in clock ticks since boot (proc(5), field 22): with the pid it names a process for good. */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
