// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GUEST_RUNTIME } from '../core/runtime-parts.ts';
import { deriveSeed } from '../core/seed.ts';
import type { Orders } from '../lab/engine.ts';
import { DAEMON_ENTRY, packDaemon } from './guest-code.ts';

const BOOT = '/run/boot.mjs';
const CODE = '/run/code.json';
const MAP = '/run/map.db';

export interface GuestProgram {
  /** Path of the program, relative to the project; it starts the daemon itself (harness/runtime/faults/guest/stage.ts). */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly policies: readonly string[];
  readonly madeUp?: readonly string[];
  /** Other programs of the project that it starts, and packages that these want. */
  readonly beside?: readonly string[];
  readonly packages?: readonly string[];
  /** File of the policy map. */
  readonly map: string;
  /** Guest's time, ms. */
  readonly deadlineMs: number;
}

/** What a guest of the image `runtime` is told to run: a program of the project at `root`, with what it needs of the project. */
export async function guestOrders(root: string, program: GuestProgram): Promise<Orders> {
  const { entry, args = [], policies, madeUp = [], beside = [], packages = [], map, deadlineMs } = program;
  const entries = [DAEMON_ENTRY, entry, ...beside];
  const code = packDaemon(root, policies, { madeUp, missingProbes: [] }, entries, packages);
  const builtin = { kind: 'builtin', summary: 's', suits: 's', weakness: 's', source: 's' } as const;
  return {
    trial: 'program',
    seed: deriveSeed(9, 0),
    policy: { id: 'eevdf', definition: builtin },
    candidates: [],
    files: [
      { path: BOOT, content: await readFile(join(root, 'harness/replay/guest/boot.mjs')) },
      { path: CODE, content: Buffer.from(code) },
      { path: MAP, content: await readFile(map) },
    ],
    run: [`${GUEST_RUNTIME}/bin/node`, BOOT, CODE, entry, BOOT, CODE, DAEMON_ENTRY, MAP, ...args],
    deadlineMs,
  };
}
