// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Draw } from '../../draw.ts';
import { signal } from '../../processes.ts';
import type { Strike } from '../disturbed-run.ts';
import type { RunKind } from '../run-kind.ts';
import type { Controller, RunScene } from '../scene.ts';
import { drawMoment, reach } from './moments.ts';

/** The controller is killed, once or again while it goes on, stopped for a while, or met by a second one. */
export const PROCESS_KINDS: readonly RunKind[] = [
  {
    name: 'kill-controller',
    about: 'kill -9 of the controller, at any moment',
    weight: { mock: 18, exact: 6 },
    strike: (scene, draw) => kills(scene, draw, 1),
  },
  {
    name: 'kill-again',
    about: 'kill -9, and again while it goes on, two or three times',
    weight: { mock: 6, exact: 2 },
    strike: (scene, draw) => kills(scene, draw, draw.between(2, 3)),
  },
  {
    name: 'ask-to-stop',
    about: 'SIGTERM, SIGINT or SIGHUP to the controller',
    weight: { mock: 4, exact: 1 },
    strike: async (scene, draw) => {
      const name = draw.oneOf(['SIGTERM', 'SIGINT', 'SIGHUP'] as const);
      const controller = scene.start();
      const when = await reach(drawMoment(draw, scene.total), scene, controller);
      signal(controller.pid, name);
      await controller.ended;
      return { what: `${name} ${when}`, controllers: [controller] };
    },
  },
  {
    name: 'pause-controller',
    about: 'SIGSTOP of the controller, and SIGCONT a while later',
    weight: { mock: 6, exact: 2 },
    strike: async (scene, draw) => {
      const controller = scene.start();
      const when = await reach(drawMoment(draw, scene.total), scene, controller);
      const ms = draw.between(50, 1500);
      signal(controller.pid, 'SIGSTOP');
      await delay(ms);
      signal(controller.pid, 'SIGCONT');
      await controller.ended;
      return { what: `stopped for ${ms} ms ${when}`, controllers: [controller] };
    },
  },
  {
    name: 'pause-and-kill',
    about: 'SIGSTOP of the controller, then kill -9',
    weight: { mock: 5, exact: 2 },
    strike: async (scene, draw) => {
      const controller = scene.start();
      const when = await reach(drawMoment(draw, scene.total), scene, controller);
      signal(controller.pid, 'SIGSTOP');
      await delay(draw.between(0, 200));
      signal(controller.pid, 'SIGKILL');
      await controller.ended;
      return { what: `stopped and killed ${when}`, controllers: [controller] };
    },
  },
  {
    name: 'second-controller',
    about: 'a second controller for the same run, while the first works, is stopped, or has just been killed',
    weight: { mock: 5, exact: 0 },
    strike: secondController,
  },
];

async function kills(scene: RunScene, draw: Draw, times: number): Promise<Strike> {
  const controllers: Controller[] = [];
  const words: string[] = [];
  for (let time = 0; time < times; time++) {
    const controller = scene.start();
    controllers.push(controller);
    words.push(await reach(drawMoment(draw, scene.total), scene, controller));
    signal(controller.pid, 'SIGKILL');
    await controller.ended;
  }
  return { what: `killed ${words.join(', then ')}`, faults: times, controllers };
}

async function secondController(scene: RunScene, draw: Draw): Promise<Strike> {
  const first = scene.start();
  const when = await reach({ records: draw.between(1, scene.total - 6), afterMs: 0 }, scene, first);
  const how = draw.oneOf(['works', 'is stopped', 'is killed'] as const);
  if (how === 'is stopped') signal(first.pid, 'SIGSTOP');
  const second = scene.start();
  if (how === 'is killed') {
    await delay(draw.between(0, 600));
    signal(first.pid, 'SIGKILL');
  }
  await second.ended;
  signal(first.pid, 'SIGCONT');
  await first.ended;
  const { code } = await second.ended;
  return {
    what: `a second one starts ${when}, the first ${how}; the second ended with ${code}`,
    controllers: [second, first],
  };
}
