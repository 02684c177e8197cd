// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { boundTo } from '../lab/machine-process.ts';
import { decodeEvents, type Recording } from './events.ts';

/** What the recorder ends with when the recording failed. */
const RECORDER_FAILED = 125;
const BTF = '/sys/kernel/btf/vmlinux';

export interface HostRecording {
  readonly recording: Recording;
  /** Exit status of the program, 128 + signal when killed by one. */
  readonly status: number;
}

/** Why programs on this host cannot be recorded; undefined when they can. */
export function hostObstacle(uid = process.getuid?.(), btf = existsSync(BTF)): string | undefined {
  if (uid !== 0) return 'needs root: programs are loaded into the kernel';
  return btf ? undefined : `the kernel has no type information (${BTF} is missing)`;
}

/**
 * Runs a program on this host, with this process's terminal, under the recorder `recorder` (a path). Aborting `signal` kills the program and
 * all that it started, and rejects with the signal's reason. Throws PmvxError (environment) where the host cannot.
 */
export async function recordOnHost(
  recorder: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<HostRecording> {
  const where = 'trace record';
  const obstacle = hostObstacle();
  if (obstacle !== undefined) {
    throw new PmvxError(ExitCode.environment, {
      where,
      what: obstacle,
      next: 'Record a workload in a VM instead',
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-trace-'));
  try {
    const events = join(folder, 'events');
    const [program, ...args] = boundTo(process.pid, [recorder, '--out', events, '--', ...command]);
    const end = await execa(program, args, {
      stdio: ['inherit', 'inherit', 'inherit'],
      reject: false,
      cancelSignal: signal,
      forceKillAfterDelay: 5000,
    });
    signal.throwIfAborted();
    const data = await readFile(events).catch(() => undefined);
    if (data === undefined) {
      const how =
        end.exitCode === RECORDER_FAILED
          ? 'the recorder failed; its words are above'
          : 'nothing was recorded';
      throw new PmvxError(ExitCode.environment, {
        where,
        what: how,
        next: 'Record a workload in a VM instead',
      });
    }
    return { recording: decodeEvents(data), status: end.exitCode ?? RECORDER_FAILED };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
