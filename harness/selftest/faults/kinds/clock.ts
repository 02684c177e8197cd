// SPDX-License-Identifier: Apache-2.0

import { join } from 'node:path';
import type { Draw } from '../../draw.ts';
import { processesOf, signal } from '../../processes.ts';
import type { Strike } from '../disturbed-run.ts';
import { otherClocks } from '../host.ts';
import type { RunKind } from '../run-kind.ts';
import type { RunScene, StartOptions } from '../scene.ts';
import { drawMoment, reach } from './moments.ts';

const DAY_S = 86_400;

/** Clocks that jump, or that begin elsewhere. */
export const CLOCK_KINDS: readonly RunKind[] = [
  {
    name: 'date-jumps',
    about: 'the date is set back or forth in the middle of a run; then kill -9, or nothing',
    weight: { mock: 6, exact: 2 },
    strike: async (scene, draw) => {
      const seconds = draw.oneOf([-3650 * DAY_S, -DAY_S, -3600, -2, 2, 3600, DAY_S, 3650 * DAY_S]);
      const afterMs = draw.between(0, 1200);
      const controller = scene.start(jumping(afterMs, seconds * 1000));
      const kills = draw.chance(50);
      const when = kills ? await reach(drawMoment(draw, scene.total), scene, controller) : '';
      if (kills) signal(controller.pid, 'SIGKILL');
      await controller.ended;
      const then = kills ? `, killed ${when}` : '';
      return {
        what: `the date jumps by ${seconds} s ${afterMs} ms after the start${then}`,
        controllers: [controller],
      };
    },
  },
  {
    name: 'other-clock',
    about: 'the run is begun or gone on with where the monotonic and the boot clock begin elsewhere',
    weight: { mock: 5, exact: 1 },
    obstacle: otherClocks,
    strike: otherClock,
  },
];

function jumping(afterMs: number, byMs: number): StartOptions {
  return {
    node: ['--import', join(import.meta.dirname, 'jump.ts')],
    env: { PMVX_JUMP_AFTER_MS: String(afterMs), PMVX_JUMP_BY_MS: String(byMs) },
  };
}

async function otherClock(scene: RunScene, draw: Draw): Promise<Strike> {
  const seconds = draw.oneOf([100, DAY_S, 400 * DAY_S]);
  const offsets = ['--time', '--monotonic', String(seconds), '--boottime', String(seconds)];
  const elsewhere: StartOptions = { prefix: ['unshare', ...offsets, '--fork', '--kill-child=KILL'] };
  const begunThere = draw.chance(50);
  const first = scene.start(begunThere ? elsewhere : {});
  const when = await reach({ records: draw.between(0, scene.total - 4), afterMs: 0 }, scene, first);
  const meets = draw.chance(40);
  const controllers = [first];
  let second = '';
  if (meets) {
    // Who cannot see whether the first is alive must not take its run away.
    for (const { pid } of processesOf(scene.folder)) signal(pid, 'SIGSTOP');
    const other = scene.start(begunThere ? {} : elsewhere);
    await other.ended;
    second = `; meanwhile one ${begunThere ? 'here' : 'there'} ended with ${(await other.ended).code}`;
    controllers.unshift(other);
  }
  signal(first.pid, 'SIGKILL');
  await first.ended;
  return {
    what: `clocks ${seconds} s ahead, killed ${begunThere ? 'there' : 'here'} ${when}${second}`,
    controllers,
    ...(begunThere ? {} : { resume: elsewhere }),
  };
}
