// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Pids of this user's processes whose working folder is `folder` or below it; zombies do nothing and do not count. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const cwd = probe(() => readlinkSync(`/proc/${pid}/cwd`));
      return cwd !== undefined && (cwd === folder || cwd.startsWith(folder + sep)) && !isZombie(pid);
    });
}

/** Looks until `state` is true; throws when it is not within `deadlineMs`. Returns how long that took, in ms. */
export async function until(what: string, state: () => boolean, deadlineMs = 120_000): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (state()) return performance.now() - began;
    if (performance.now() - began > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(5);
  }
}

function isZombie(pid: number): boolean {
  const stat = probe(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat === undefined || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

/** Processes come and go while one looks. */
function probe<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
