// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Draw } from '../../draw.ts';
import { becomes } from '../../processes.ts';
import type { Controller, RunScene } from '../scene.ts';

/** When something happens to a run: so long after its start, or after so many records. */
export type Moment = { readonly startMs: number } | { readonly records: number; readonly afterMs: number };

/** Anywhere between the start and the end, with some more weight on both. */
export function drawMoment(draw: Draw, total: number): Moment {
  if (draw.chance(20)) return { startMs: draw.between(0, 900) };
  return { records: draw.between(0, total), afterMs: draw.between(0, 40) };
}

/** Waits for it, or for the end of the controller; says in words when it was. */
export async function reach(moment: Moment, scene: RunScene, controller: Controller): Promise<string> {
  let over = false;
  const ended = controller.ended.then(() => {
    over = true;
  });
  if ('startMs' in moment) {
    await Promise.race([delay(moment.startMs), ended]);
    return `${moment.startMs} ms after its start`;
  }
  await becomes(() => over || scene.recorded() >= moment.records, 900_000, 2);
  await Promise.race([delay(moment.afterMs), ended]);
  return `after ${scene.recorded()} of ${scene.total} records`;
}
