// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Draw } from '../../draw.ts';
import { signal } from '../../processes.ts';
import { abort, cutPower, fill, mountLoop, mountMemory, powerOn } from '../disks.ts';
import type { Strike } from '../disturbed-run.ts';
import { mountFailingDisk } from '../failing-disk/failing-disk.ts';
import type { Operation } from '../failing-disk/protocol.ts';
import { failingDisks, loopDisks, memoryDisks, resourceLimits } from '../host.ts';
import type { RunKind } from '../run-kind.ts';
import type { RunScene } from '../scene.ts';
import { limit } from './limits.ts';
import { drawMoment, reach } from './moments.ts';

/** More than a run asks for before it begins. */
const DISK_MIB = 96;

/** What the disk of a run does to it. */
export const DISK_KINDS: readonly RunKind[] = [
  {
    name: 'disk-full',
    about: 'a small disk in memory is full, or all but full',
    weight: { mock: 8, exact: 2 },
    obstacle: memoryDisks,
    strike: (scene, draw) => fullDisk(scene, draw, mountMemory),
  },
  {
    name: 'disk-full-ext4',
    about: 'a small ext4 on a loop device is full, or all but full',
    weight: { mock: 5, exact: 1 },
    obstacle: loopDisks,
    strike: (scene, draw) => fullDisk(scene, draw, mountLoop),
  },
  {
    name: 'disk-aborts',
    about: 'ext4 turns read-only, as after an error of its device',
    weight: { mock: 5, exact: 1 },
    obstacle: loopDisks,
    strike: async (scene, draw) => {
      await mountLoop(scene, DISK_MIB);
      const controller = scene.start();
      const when = await reach(drawMoment(draw, scene.total), scene, controller);
      await abort(scene);
      await controller.ended;
      await powerOn(scene);
      return { what: `ext4 turns read-only ${when}`, controllers: [controller] };
    },
  },
  {
    name: 'power-cut',
    about: 'the power of the disk is cut: what was not synced is lost; then kill -9',
    weight: { mock: 8, exact: 2 },
    obstacle: loopDisks,
    strike: async (scene, draw) => {
      await mountLoop(scene, DISK_MIB);
      const controller = scene.start();
      const when = await reach(drawMoment(draw, scene.total), scene, controller);
      const said = controller.out();
      await cutPower(scene);
      signal(controller.pid, 'SIGKILL');
      await controller.ended;
      await powerOn(scene);
      return { what: `power cut ${when}`, controllers: [controller], said };
    },
  },
  {
    name: 'disk-errors',
    about: 'a disk through FUSE answers some operations with EIO or ENOSPC',
    weight: { mock: 14, exact: 0 },
    obstacle: failingDisks,
    strike: failingDisk,
  },
  {
    name: 'no-descriptors',
    about: 'the controller may open no more files',
    weight: { mock: 4, exact: 0 },
    obstacle: resourceLimits,
    strike: async (scene, draw) => {
      const controller = scene.start();
      const when = await reach(drawMoment(draw, scene.total), scene, controller);
      const most = draw.between(4, 26);
      const done = await limit(controller.pid, 'nofile', most);
      await controller.ended;
      return {
        what: done ? `at most ${most} descriptors ${when}` : `it had ended ${when}`,
        controllers: [controller],
      };
    },
  },
];

async function fullDisk(
  scene: RunScene,
  draw: Draw,
  mount: (scene: RunScene, mib: number) => Promise<void>,
): Promise<Strike> {
  await mount(scene, DISK_MIB);
  const controller = scene.start();
  const when = await reach(drawMoment(draw, scene.total), scene, controller);
  const spare = draw.oneOf([0, draw.between(1, 4096), draw.between(4096, 65_536)]);
  await fill(scene, spare);
  await controller.ended;
  const mend = () => rm(join(scene.disk, 'filler'));
  return { what: `all but ${spare} bytes full ${when}`, controllers: [controller], mend };
}

const FAILING: readonly (readonly Operation[])[] = [
  ['write'],
  ['fsync'],
  ['write', 'fsync'],
  ['fsyncdir'],
  ['create', 'mkdir'],
  ['rename', 'rename2', 'link'],
  ['unlink'],
  ['read'],
  ['lookup', 'getattr'],
  ['open', 'opendir', 'readdir'],
  ['setattr'],
  ['flush', 'release'],
];

async function failingDisk(scene: RunScene, draw: Draw): Promise<Strike> {
  const disk = await mountFailingDisk(scene.disk);
  scene.undo.push(() => disk.unmount());
  const rule = {
    operations: draw.oneOf(FAILING),
    after: draw.between(0, draw.oneOf([3, 20, 60])),
    times: draw.oneOf([1, 1, 2, 1_000_000]),
    errno: draw.oneOf(['EIO', 'EIO', 'ENOSPC'] as const),
  };
  const inRun = draw.chance(60);
  if (!inRun) await disk.set(rule);
  const controller = scene.start();
  const when = inRun ? await reach(drawMoment(draw, scene.total), scene, controller) : 'from the start';
  if (inRun) await disk.set(rule);
  await controller.ended;
  const hits = disk.hits().length;
  // Who compares what became of it must be able to read.
  await disk.set(undefined);
  const which = `${rule.operations.join(', ')}: ${rule.errno} after ${rule.after}, ${rule.times} times`;
  return {
    what: `${which}, ${when}; hit ${hits} times`,
    controllers: [controller],
  };
}
