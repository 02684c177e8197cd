// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A living process. */
export interface Seen {
  readonly pid: number;
  readonly command: string;
  /** `/` for one that may not be looked at. */
  readonly cwd: string;
}

/**
 * The living processes that have to do with a folder: it is in their command line or environment, or they work in it or below it. Zombies
 * do nothing and do not count, nor does this process.
 */
export function processesOf(folder: string): Seen[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const command = textOf(pid, 'cmdline');
      const cwd = attempt(() => readlinkSync(`/proc/${pid}/cwd`)) ?? '/';
      const within = cwd === folder || cwd.startsWith(folder + sep);
      const named =
        command.includes(folder) || (attempt(() => textOf(pid, 'environ')) ?? '').includes(folder);
      return (within || named) && !isZombie(pid) ? [{ pid, command, cwd }] : [];
    } catch {
      // It ended while it was looked at.
      return [];
    }
  });
}

/** Looks until `state` is true or `ms` have passed; says which. */
export async function becomes(state: () => boolean, ms: number, everyMs = 4): Promise<boolean> {
  const began = performance.now();
  for (;;) {
    if (state()) return true;
    if (performance.now() - began > ms) return false;
    await delay(everyMs);
  }
}

/** Sends a signal to a process that may have ended meanwhile; says whether it was there. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function textOf(pid: number, name: string): string {
  return readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', ' ');
}

function isZombie(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
