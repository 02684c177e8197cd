// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';

export interface ProcessEnd {
  /** Exit code, or signal such as `SIGKILL`. */
  readonly exitCode?: number;
  readonly signal?: string;
  /** Last words on stderr. */
  readonly stderr: string;
  readonly reachedDeadline: boolean;
}

/**
 * The same command, which dies with process `parent`. Where that was killed before `setpriv` could ask for it, the command
 * finds that it has another parent and does not start.
 */
export function boundTo(parent: number, command: readonly string[]): readonly [string, ...string[]] {
  const check = '[ "$PPID" = "$0" ] && exec "$@"';
  return ['setpriv', '--pdeathsig', 'KILL', 'sh', '-c', check, String(parent), ...command];
}

/**
 * Runs a VM process to its end. It dies with this process (also when that is killed outright), stands in a process
 * group of its own so that Ctrl-C in the terminal reaches it through us only, and is killed at the deadline. When `signal` is
 * aborted it rejects with the signal's reason once the process is gone.
 */
export async function runMachineProcess(
  command: readonly string[],
  options: { readonly cwd: string; readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<ProcessEnd> {
  options.signal.throwIfAborted();
  const deadline = AbortSignal.timeout(Math.min(Math.ceil(options.deadlineMs), 2 ** 31 - 1));
  const [program, ...args] = boundTo(process.pid, command);
  const ended = await execa(program, args, {
    cwd: options.cwd,
    // QEMU needs nothing of the caller's environment.
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
    extendEnv: false,
    stdin: 'ignore',
    stdout: 'ignore',
    detached: true,
    cleanup: true,
    reject: false,
    maxBuffer: 65536,
    cancelSignal: AbortSignal.any([options.signal, deadline]),
    forceKillAfterDelay: 2000,
  });
  options.signal.throwIfAborted();
  return {
    ...(ended.exitCode === undefined ? {} : { exitCode: ended.exitCode }),
    ...(ended.signal === undefined ? {} : { signal: ended.signal }),
    stderr: String(ended.stderr ?? '').trim() || (ended.failed ? (ended.originalMessage ?? '') : ''),
    reachedDeadline: deadline.aborted && ended.isCanceled,
  };
}
