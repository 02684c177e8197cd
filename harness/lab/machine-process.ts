// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { confinedCommand, type Reach, takeBack } from './confine/confine.ts';
import { qemuEnvironment } from './qemu-binary.ts';

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

/** A VM process that runs. */
export interface MachineProcess {
  /** QEMU's monitor, where the command line names file descriptor `MONITOR_FD`. */
  readonly monitor: Duplex;
  /** Resolves when the process has ended; rejects with the signal's reason when it was aborted. */
  readonly ended: Promise<ProcessEnd>;
  /** Ends it at once; what it was asked for is done. */
  kill(): void;
}

/** A socket that QEMU inherits: no name in a file system, nobody else can connect. */
export const MONITOR_FD = 3;

interface MachineOptions {
  readonly cwd: string;
  /** All of the host that the process can reach, `cwd` among it; the whole host when absent. */
  readonly reach?: Reach | undefined;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly play?: HostPlay | undefined;
}

/** How the host is to treat a machine, to try that its guest does not notice. */
export interface HostPlay {
  /** As on the least of hosts: libraries and emulator do without what processors have above SSE2. */
  readonly plainHost?: boolean;
  /** A command that becomes the one that follows it: `setarch -R`, `env TZ=...`. */
  readonly prefix?: readonly string[];
  /** Receives the number of the process that becomes QEMU. */
  readonly onStarted?: (pid: number) => void;
}

/**
 * Starts a VM process. It dies with this process (also when that is killed outright), stands in a process
 * group of its own so that Ctrl-C in the terminal reaches it through us only, and is killed at the deadline. When `signal` is
 * aborted `ended` rejects with the signal's reason once the process is gone.
 */
export function startMachine(command: readonly string[], options: MachineOptions): MachineProcess {
  options.signal.throwIfAborted();
  const deadline = AbortSignal.timeout(Math.min(Math.ceil(options.deadlineMs), 2 ** 31 - 1));
  const { cwd, reach, play = {} } = options;
  const held = reach === undefined ? command : confinedCommand(process.pid, command, cwd, reach);
  const [program, ...args] = boundTo(process.pid, [...(play.prefix ?? []), ...held]);
  const running = execa(program, args, {
    cwd,
    // QEMU needs nothing of the caller's environment.
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ...qemuEnvironment(play.plainHost) },
    extendEnv: false,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    buffer: { stderr: true, fd3: false },
    detached: true,
    cleanup: true,
    reject: false,
    maxBuffer: 65536,
    cancelSignal: AbortSignal.any([options.signal, deadline]),
    forceKillAfterDelay: 2000,
  });
  if (running.pid !== undefined) play.onStarted?.(running.pid);
  const monitor = running.stdio[MONITOR_FD] as unknown as Duplex;
  // A monitor that breaks off is seen by the end of the process.
  monitor.on('error', () => undefined);
  const ended = running.then(async (end): Promise<ProcessEnd> => {
    if (reach !== undefined) await takeBack(reach);
    options.signal.throwIfAborted();
    return {
      ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
      ...(end.signal === undefined ? {} : { signal: end.signal }),
      stderr: String(end.stderr ?? '').trim() || (end.failed ? (end.originalMessage ?? '') : ''),
      reachedDeadline: deadline.aborted && end.isCanceled,
    };
  });
  // Whoever waits for the end hears why; until somebody does it is no fault.
  ended.catch(() => undefined);
  return { monitor, ended, kill: () => running.kill('SIGKILL') };
}

/** The end of a machine whose monitor is gone: its own, or ours when it does not come. */
export async function endOf(machine: MachineProcess): Promise<ProcessEnd> {
  await Promise.race([machine.ended, sleep(2000, undefined, { ref: false })]);
  machine.kill();
  return machine.ended;
}

/** Runs a VM process that needs no monitor to its end. */
export async function runMachineProcess(
  command: readonly string[],
  options: MachineOptions,
): Promise<ProcessEnd> {
  const { monitor, ended } = startMachine(command, options);
  monitor.resume();
  return ended;
}
