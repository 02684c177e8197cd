// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What this host lets a campaign do, each tried once. An answer is why not, or undefined. */
type Obstacle = () => string | undefined;

export const memoryDisks: Obstacle = once(() => tried('mount', ['-t', 'tmpfs', 'none']));

export const loopDisks: Obstacle = once(() => {
  if (process.getuid?.() !== 0) return "loop devices are root's";
  if (!existsSync('/dev/loop-control')) return 'this kernel has no loop devices';
  return missing('mkfs.ext4') ?? memoryDisks();
});

export const failingDisks: Obstacle = once(() => {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch (error) {
    return `/dev/fuse cannot be opened (${(error as NodeJS.ErrnoException).code})`;
  }
  return memoryDisks();
});

export const otherClocks: Obstacle = once(() => {
  const { status, stderr } = spawnSync('unshare', ['--time', '--boottime', '1000', 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `no time namespaces: ${stderr.trim()}`;
});

export const resourceLimits: Obstacle = once(() => missing('prlimit'));

/** Where memory of groups of processes can be limited: version 2 or 1 of control groups. */
export const memoryGroups = once((): { readonly folder: string; readonly version: 1 | 2 } | undefined => {
  const places = [
    { folder: '/sys/fs/cgroup/memory', version: 1, limit: 'memory.limit_in_bytes' },
    { folder: '/sys/fs/cgroup', version: 2, limit: 'memory.max' },
  ] as const;
  for (const { folder, version, limit } of places) {
    const group = join(folder, `pmvx-selftest-${process.pid}-try`);
    try {
      mkdirSync(group);
      const found = existsSync(join(group, limit));
      rmdir(group);
      if (found) return { folder, version };
    } catch {
      // Not here.
    }
  }
  return undefined;
});

/** Control groups are removed like folders, and their files are not. */
export function rmdir(group: string): void {
  spawnSync('rmdir', [group]);
}

export const limitedMemory: Obstacle = () =>
  memoryGroups() === undefined ? 'no control group for memory can be made here' : undefined;

export const compiler: Obstacle = once(() => missing('gcc'));

function missing(program: string): string | undefined {
  const { status } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]);
  return status === 0 ? undefined : `${program} is not installed`;
}

/** Tries a mount, with the place as the last argument. */
function tried(program: string, args: readonly string[]): string | undefined {
  if (!inOwnMounts()) return 'the campaign has no mounts of its own';
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-try-'));
  const { status, stderr } = spawnSync(program, [...args, folder], { encoding: 'utf8' });
  if (status === 0) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
  return status === 0 ? undefined : stderr.trim();
}

/** Whether what is mounted here is seen nowhere else. */
function inOwnMounts(): boolean {
  return !/ shared:\d+ /.test(readFileSync('/proc/self/mountinfo', 'utf8').split('\n')[0] ?? '');
}

function once<T>(ask: () => T): () => T {
  let answer: { readonly value: T } | undefined;
  return () => {
    answer ??= { value: ask() };
    return answer.value;
  };
}
