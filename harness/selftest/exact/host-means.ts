// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { boundTo } from '../../lab/machine-process.ts';

/** Why a program cannot be used; undefined when it is there. */
export function missing(program: string): string | undefined {
  const { status } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]);
  return status === 0 ? undefined : `${program} is not installed`;
}

/** Waits, and at once no longer when `done` is aborted; says whether to go on. */
export async function waited(ms: number, done: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal: done }).catch(() => undefined);
  return !done.aborted;
}

/** The threads of a process; none when it has ended. */
export function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Runs a short command to its end, whatever that is; false when it failed. */
export async function did(program: string, ...args: string[]): Promise<boolean> {
  const child = spawn(program, args, { stdio: 'ignore' });
  child.on('error', () => undefined);
  const [code] = (await once(child, 'close').catch(() => [1])) as [number | null];
  return code === 0;
}

/** Has processes run until `done`; they die with this one. */
export async function beside(
  commands: readonly (readonly string[])[],
  done: AbortSignal,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const children = commands.map((command): ChildProcess => {
    const [program, ...args] = boundTo(process.pid, command);
    return spawn(program, args, { stdio: 'ignore' }).on('error', () => undefined);
  });
  try {
    await meanwhile();
    if (!done.aborted) await once(done, 'abort');
  } finally {
    const live = children.filter(
      (child) => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    );
    const ends = live.map((child) => once(child, 'close'));
    for (const child of live) child.kill('SIGKILL');
    await Promise.all(ends);
  }
}

/** Where processor time of groups can be limited: control groups of version 1 or 2. */
export function cpuGroups(): { readonly folder: string; readonly version: 1 | 2 } | undefined {
  if (existsSync('/sys/fs/cgroup/cpu/cpu.cfs_quota_us')) return { folder: '/sys/fs/cgroup/cpu', version: 1 };
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return { folder: '/sys/fs/cgroup', version: 2 };
  return undefined;
}
