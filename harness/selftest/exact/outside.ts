// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Disturbance, Victim } from './disturbance.ts';
import { beside, cpuGroups, did, missing, threadsOf, waited } from './host-means.ts';

const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';
const DROP_CACHES = '/proc/sys/vm/drop_caches';
const BUSY = ['sh', '-c', 'while :; do :; done'] as const;

/** What the host does around a machine's process. */
export const OUTSIDE: readonly Disturbance[] = [
  { name: 'quota', about: 'a tenth to a half of one CPU', obstacle: noQuota, strike: quota },
  {
    name: 'affinity',
    about: 'every thread on another CPU, again and again',
    obstacle: () =>
      missing('taskset') ?? (availableParallelism() < 2 ? 'this process has one CPU' : undefined),
    strike: hop,
  },
  {
    name: 'idle-class',
    about: 'SCHED_IDLE, beside a busy loop on each CPU',
    obstacle: () => missing('chrt'),
    strike: async ({ pid, done }) => {
      const idle = async () => {
        for (const thread of threadsOf(pid)) await did('chrt', '--idle', '--pid', '0', String(thread));
      };
      await beside(busyLoops(), done, idle);
      return 1;
    },
  },
  {
    name: 'busy-host',
    about: 'two busy loops on each CPU',
    strike: async ({ done }) => {
      await beside([...busyLoops(), ...busyLoops()], done);
      return 1;
    },
  },
  {
    name: 'debugger',
    about: 'gdb attaches and leaves, again and again',
    obstacle: () => missing('gdb'),
    strike: (victim) => again(victim, [100, 400], () => attach(victim)),
  },
  {
    name: 'system-calls',
    about: 'strace follows every thread',
    obstacle: () => missing('strace'),
    strike: async ({ pid, done }) => {
      if (!(await waited(50, done))) return 0;
      await beside([['strace', '-f', '-p', String(pid), '-o', '/dev/null']], done);
      return 1;
    },
  },
  {
    name: 'huge-pages',
    about: 'transparent huge pages on and off, again and again',
    obstacle: () => unwritable(HUGE_PAGES),
    strike: hugePages,
  },
  {
    name: 'caches',
    about: "the kernel's caches dropped, again and again",
    obstacle: () => unwritable(DROP_CACHES),
    strike: (victim) =>
      again(victim, [300, 900], () => {
        writeFileSync(DROP_CACHES, '1');
        return Promise.resolve();
      }),
  },
];

function busyLoops(): (readonly string[])[] {
  return Array.from({ length: availableParallelism() }, () => BUSY);
}

/** Does something until the machine has ended, with a drawn wait before each time; returns how often. */
async function again(
  { draw, done }: Victim,
  [least, most]: readonly [number, number],
  act: () => Promise<unknown>,
): Promise<number> {
  for (let times = 0; ; times++) {
    if (!(await waited(draw.between(least, most), done))) return times;
    await act();
  }
}

function attach({ pid }: Victim): Promise<boolean> {
  return did('gdb', '-p', String(pid), '-batch', '-nx', '-ex', 'detach');
}

function hop(victim: Victim): Promise<number> {
  return again(victim, [2, 40], async () => {
    for (const thread of threadsOf(victim.pid)) {
      await did('taskset', '-cp', String(victim.draw.between(0, availableParallelism() - 1)), String(thread));
    }
  });
}

let hugePagesUsers = 0;
let hugePagesBefore = 'madvise';

/** Several machines may be disturbed so at once: the last one puts back what the first one found. */
async function hugePages(victim: Victim): Promise<number> {
  if (hugePagesUsers++ === 0)
    hugePagesBefore = /\[(\w+)\]/.exec(readFileSync(HUGE_PAGES, 'utf8'))?.[1] ?? 'madvise';
  try {
    return await again(victim, [20, 100], () => {
      writeFileSync(HUGE_PAGES, victim.draw.oneOf(['always', 'never']));
      return Promise.resolve();
    });
  } finally {
    if (--hugePagesUsers === 0) writeFileSync(HUGE_PAGES, hugePagesBefore);
  }
}

function noQuota(): string | undefined {
  const groups = cpuGroups();
  if (groups === undefined) return 'no control group for processor time is mounted';
  if (process.getuid?.() !== 0) return "control groups are root's";
  if (groups.version === 1) return undefined;
  const enabled = readFileSync(join(groups.folder, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
  return enabled.includes('cpu') ? undefined : 'the controller cpu is not enabled for new control groups';
}

async function quota({ pid, draw, done }: Victim): Promise<number> {
  const groups = cpuGroups();
  if (groups === undefined) return 0;
  const { folder, version } = groups;
  const group = join(folder, `pmvx-exact-${pid}`);
  const periodUs = draw.oneOf([10_000, 100_000]);
  const quotaUs = (periodUs * draw.between(10, 50)) / 100;
  mkdirSync(group);
  try {
    if (version === 2) writeFileSync(join(group, 'cpu.max'), `${quotaUs} ${periodUs}`);
    else {
      writeFileSync(join(group, 'cpu.cfs_period_us'), String(periodUs));
      writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quotaUs));
    }
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
    if (!done.aborted) await once(done, 'abort');
    return 1;
  } finally {
    await emptied(group, folder);
  }
}

/** Removes a control group; who is still in it, for a moment or for good, goes back. */
async function emptied(group: string, folder: string): Promise<void> {
  for (let tries = 0; existsSync(group) && tries < 100; tries++) {
    for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
      try {
        writeFileSync(join(folder, 'cgroup.procs'), pid);
      } catch {
        // It has ended.
      }
    }
    try {
      rmdirSync(group);
    } catch {
      await waited(50, new AbortController().signal);
    }
  }
}

function unwritable(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    return `${path} cannot be written (${(error as NodeJS.ErrnoException).code})`;
  }
}
