// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Draw } from '../../draw.ts';
import { becomes, processesOf, type Seen, signal } from '../../processes.ts';
import type { RunKind } from '../run-kind.ts';
import type { Controller, RunScene } from '../scene.ts';

const NEVER = { mock: 0 } as const;

/** What happens to QEMU, and to the small processes that hold locks for the controller. */
export const MACHINE_KINDS: readonly RunKind[] = [
  {
    name: 'kill-machine',
    about: 'kill -9 of QEMU, while it boots, is saved, is restored, or runs',
    weight: { ...NEVER, exact: 8 },
    strike: async (scene, draw) => {
      const controller = scene.start();
      const when = await killed(scene, draw, controller);
      await controller.ended;
      return { what: when, controllers: [controller] };
    },
  },
  {
    name: 'kill-machine-twice',
    about: 'kill -9 of QEMU, and of the one that comes in its place',
    weight: { ...NEVER, exact: 3 },
    strike: async (scene, draw) => {
      const controller = scene.start();
      const words = [await killed(scene, draw, controller), await killed(scene, draw, controller)];
      await controller.ended;
      return { what: words.join('; '), faults: 2, controllers: [controller] };
    },
  },
  {
    name: 'pause-machine',
    about: 'SIGSTOP of QEMU, and SIGCONT a while later',
    weight: { ...NEVER, exact: 3 },
    strike: async (scene, draw) => {
      const controller = scene.start();
      const machine = await someMachine(scene, draw, controller);
      const ms = draw.between(100, 4000);
      if (machine !== undefined) {
        signal(machine.pid, 'SIGSTOP');
        await delay(ms);
        signal(machine.pid, 'SIGCONT');
      }
      await controller.ended;
      return { what: `QEMU stopped for ${ms} ms ${placeOf(scene, machine)}`, controllers: [controller] };
    },
  },
  {
    name: 'stopped-machine-orphaned',
    about: 'SIGSTOP of QEMU, then kill -9 of the controller: nothing may be left of either',
    weight: { ...NEVER, exact: 2 },
    strike: async (scene, draw) => {
      const controller = scene.start();
      const machine = await someMachine(scene, draw, controller);
      if (machine !== undefined) signal(machine.pid, 'SIGSTOP');
      signal(controller.pid, 'SIGKILL');
      await controller.ended;
      return {
        what: `QEMU stopped, controller killed ${placeOf(scene, machine)}`,
        controllers: [controller],
      };
    },
  },
  {
    name: 'kill-lock-holder',
    about: 'kill -9 of the process that holds the lock of a snapshot',
    weight: { ...NEVER, exact: 2 },
    strike: async (scene, draw) => {
      const controller = scene.start();
      const holders = () =>
        processesOf(scene.folder).filter(({ command }) => /snapshots\/.*(?:used|\.lock-)/.test(command));
      await waitFor(controller, () => holders().length > 0);
      const holder = holders()[0];
      if (holder !== undefined) signal(holder.pid, 'SIGKILL');
      await delay(draw.between(0, 50));
      await controller.ended;
      return {
        what: `the holder of a lock killed after ${scene.recorded()} records`,
        controllers: [controller],
      };
    },
  },
];

function machinesOf(scene: RunScene): Seen[] {
  return processesOf(scene.folder).filter(({ command }) => command.includes('qemu-system-x86_64'));
}

async function killed(scene: RunScene, draw: Draw, controller: Controller): Promise<string> {
  const machine = await someMachine(scene, draw, controller);
  if (machine !== undefined) signal(machine.pid, 'SIGKILL');
  return `QEMU killed ${placeOf(scene, machine)}`;
}

/** One that runs at some moment; undefined when the controller has ended before. */
async function someMachine(scene: RunScene, draw: Draw, controller: Controller): Promise<Seen | undefined> {
  const records = draw.between(0, scene.total - 1);
  await waitFor(controller, () => scene.recorded() >= records);
  await delay(draw.between(0, draw.oneOf([50, 500, 4000])));
  await waitFor(controller, () => machinesOf(scene).length > 0);
  return machinesOf(scene)[0];
}

async function waitFor(controller: Controller, state: () => boolean): Promise<void> {
  let over = false;
  void controller.ended.then(() => {
    over = true;
  });
  await becomes(() => over || state(), 900_000, 10);
}

function placeOf(scene: RunScene, machine: Seen | undefined): string {
  const where =
    machine === undefined
      ? 'with none running'
      : machine.cwd.includes('fork-point')
        ? 'on its way to the fork point'
        : 'in a fork';
  return `${where}, after ${scene.recorded()} of ${scene.total} records`;
}
