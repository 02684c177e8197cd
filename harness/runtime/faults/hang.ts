// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from './service.ts';

export interface Home {
  /** Whether EEVDF is in effect with its own settings, by the kernel's word. */
  readonly isHome: () => boolean;
  /** ns, monotonic. */
  readonly nowNs: () => number;
  readonly patienceMs: number;
}

/** How long it takes until EEVDF is back, ms; throws when it does not come back. */
export async function homeAfter(act: () => unknown, { isHome, nowNs, patienceMs }: Home): Promise<number> {
  const beganNs = nowNs();
  await act();
  while (!isHome()) {
    if (nowNs() - beganNs > patienceMs * 1e6) throw new Error(`EEVDF is not back after ${patienceMs} ms`);
    await delay(1);
  }
  return (nowNs() - beganNs) / 1e6;
}

/** What can be done to the daemon and its guardian as processes, until EEVDF is back. */
export function processFaults(service: Service, home: Home) {
  const guardian = () => {
    const pid = childNamed(service.pid as number, 'pmvx-guardian');
    if (pid === undefined) throw new Error('the daemon has no guardian');
    return pid;
  };
  /** A daemon without a guardian ends, and another one comes up. */
  const replaced = async (act: () => unknown) => {
    const { starts } = service;
    const homeMs = await homeAfter(act, home);
    await homeAfter(() => undefined, { ...home, isHome: () => service.starts > starts });
    return homeMs;
  };
  return {
    'kill-switch': () => homeAfter(() => void service.ask('stop', {}), home),
    'stop-daemon': async () => {
      const pid = service.pid as number;
      try {
        return await homeAfter(() => process.kill(pid, 'SIGSTOP'), home);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    },
    'kill-guardian': () => replaced(() => process.kill(guardian(), 'SIGKILL')),
    // The daemon ends one that does not answer.
    'stop-guardian': () => replaced(() => process.kill(guardian(), 'SIGSTOP')),
  };
}

/** What a fault told of the way home, if it did. */
export function msOf(made: unknown): number | undefined {
  return typeof made === 'number' ? made : undefined;
}

/** A child of a process by its name (proc(5)). */
export function childNamed(parent: number, name: string): number | undefined {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  return children
    .filter((pid) => pid !== '')
    .map(Number)
    .find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name);
}
