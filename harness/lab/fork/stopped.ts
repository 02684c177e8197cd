// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Orders } from '../engine.ts';
import { decodeFrames } from '../frames.ts';
import type { Accelerator } from '../qemu-arguments.ts';
import type { Monitor } from './monitor.ts';

/**
 * Resolves when a machine stands still at its fork point. On `exact` it stops by itself, at the same instruction each time. On other
 * engines the guest waits there for its next block of orders, and is stopped soon after it has said so.
 */
export async function stopped(
  accelerator: Accelerator,
  monitor: Monitor,
  level: { readonly orders: Orders; readonly blocks: 1 | 2 },
  dataPath: string,
): Promise<void> {
  if (accelerator === 'exact') return monitor.event('STOP');
  while (!atForkPoint(await readFile(dataPath).catch(() => Buffer.alloc(0)), level)) {
    await sleep(20);
    await monitor.command('query-status');
  }
  await monitor.command('stop');
}

/** Ends a restored machine whose guest has said its last word: ACPI's power-off does not complete after a restore. Not needed on `exact`. */
export async function quitWhenDone(monitor: Monitor, dataPath: string): Promise<void> {
  for (;;) {
    const last = decodeFrames(await readFile(dataPath).catch(() => Buffer.alloc(0))).frames.at(-1)?.kind;
    if (last === 'done' || last === 'error') break;
    await sleep(50);
    await monitor.command('query-status');
  }
  await monitor.command('quit');
}

function atForkPoint(data: Buffer, { orders, blocks }: { orders: Orders; blocks: 1 | 2 }): boolean {
  const kinds = decodeFrames(data).frames.map(({ kind }) => kind);
  if (blocks === 2) return kinds.includes('forked');
  return (
    kinds.includes('ready') && kinds.filter((kind) => kind === 'prepared').length === orders.candidates.length
  );
}
