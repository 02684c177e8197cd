// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GUEST_RUNTIME } from '../../core/runtime-parts.ts';
import { deriveSeed } from '../../core/seed.ts';
import type { Orders } from '../../lab/engine.ts';
import { DAEMON_ENTRY, packDaemon } from '../../replay/guest-code.ts';
import { type Step, stepsOf } from '../../runtime/faults/guest/report.ts';
import { labEngine, ROOT, smallMachine } from './stage.ts';

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
  readonly vcpus: number;
  readonly deadlineMs: number;
  /** Where consoles go. */
  readonly folder: string;
}

/** Runs a program of the project in a guest on `exact`; what it told. */
export async function inGuest(program: GuestProgram): Promise<Step[]> {
  const { entry, args = [], policies, madeUp = [], beside = [], packages = [], map } = program;
  const entries = [DAEMON_ENTRY, entry, ...beside];
  const code = packDaemon(ROOT, policies, { madeUp, missingProbes: [] }, entries, packages);
  const builtin = { kind: 'builtin', summary: 's', suits: 's', weakness: 's', source: 's' } as const;
  const orders: Orders = {
    trial: 'program',
    seed: deriveSeed(9, 0),
    policy: { id: 'eevdf', definition: builtin },
    candidates: [],
    files: [
      { path: BOOT, content: await readFile(join(ROOT, 'harness/replay/guest/boot.mjs')) },
      { path: CODE, content: Buffer.from(code) },
      { path: MAP, content: await readFile(map) },
    ],
    run: [`${GUEST_RUNTIME}/bin/node`, BOOT, CODE, entry, BOOT, CODE, DAEMON_ENTRY, MAP, ...args],
    deadlineMs: program.deadlineMs,
  };
  const engine = labEngine('exact', undefined, 'runtime');
  const machine = smallMachine(program.vcpus);
  const outcome = await engine.runTrial(orders, machine, program.folder, new AbortController().signal);
  const text = (kind: string) =>
    outcome.frames.flatMap((each) => (each.kind === kind ? [each.payload.toString('utf8')] : [])).join('');
  const output = text('output');
  const { exit } = JSON.parse(text('result') || '{}') as { exit?: number };
  if (exit !== 0)
    throw new Error(
      `${entry} ended with ${exit}:\n${output}\n${text('error')}\n${text('klog').slice(-4000)}`,
    );
  return stepsOf(output);
}
