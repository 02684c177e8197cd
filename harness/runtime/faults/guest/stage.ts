// SPDX-License-Identifier: Apache-2.0
// The daemon in a guest with a real kernel, for programs that live beside it: BOOT ARCHIVE DAEMON-ENTRY MAP are the first arguments.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readSchedExt } from '../../actuate/sched-ext.ts';
import type { KernelState } from '../../contracts.ts';
import { JournalTail } from '../journal-tail.ts';
import { Service } from '../service.ts';

export const FOLDER = '/run/autotune';
export const STATE = join(FOLDER, 'state');
export const SOCKET = join(FOLDER, 'autotune.sock');
export const JOURNAL = join(STATE, 'journal.jsonl');
export const CONFIG = join(FOLDER, 'config.yaml');
export const MAP = join(FOLDER, 'map.db');

/** Where the archive has the schedulers' objects and the probes, as links (harness/replay/guest-code.ts). */
const CODE = '/run/pmvx-code';

/** Short windows and times, so that much happens in few seconds. */
const HASTY = { windowMs: 250, unguarded: true, machine: '{}', windows: 3 };

/** Starts the daemon under a service manager that is this program; resolves when it answers. */
export async function startDaemon(
  policies: readonly string[],
  { windowMs, unguarded, machine, windows }: typeof HASTY = HASTY,
): Promise<Service> {
  const [boot = '', archive = '', entry = '', map = ''] = process.argv.slice(2);
  mkdirSync(STATE, { recursive: true });
  writeFileSync(MAP, readFileSync(map));
  writeFileSync(
    CONFIG,
    `windowMs: ${windowMs}
unguarded: ${unguarded}
machine: ${machine}
policies: [${policies.join(', ')}]
places: { objects: ${CODE}/objects, probes: ${CODE}/probes }
guard: { windows: ${windows}, asideMs: 200, quarantine: { firstMs: 1000, mostMs: 2000 } }
watchdogMs: 1500
`,
  );
  const service = new Service({
    argv: [process.execPath, boot, archive, entry, MAP, CONFIG, JOURNAL, SOCKET, STATE],
    socket: SOCKET,
    log: join(FOLDER, 'daemon.log'),
    restartMs: 100,
  });
  try {
    await service.ready(60_000);
  } catch (error) {
    console.log(readFileSync(join(FOLDER, 'daemon.log'), 'utf8').slice(-4000));
    throw error;
  }
  return service;
}

/** Probes of the daemon, and where they are put when they are to be gone. */
export const PROBE = { path: join(CODE, 'probes/cpu.bpf.o'), away: join(CODE, 'probes/cpu.gone') };

export const journal = new JournalTail(JOURNAL);

/** Waits until the kernel says so; ms that it took. Throws with what it says after `patienceMs`. */
export async function kernelSays(
  wanted: (state: KernelState) => boolean,
  patienceMs = 10_000,
): Promise<number> {
  const began = performance.now();
  for (;;) {
    const state = readSchedExt();
    if (wanted(state)) return performance.now() - began;
    if (performance.now() - began > patienceMs)
      throw new Error(`after ${patienceMs} ms the kernel says ${JSON.stringify(state)}`);
    await delay(1);
  }
}
