// SPDX-License-Identifier: Apache-2.0
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { signal } from '../../processes.ts';
import { type Damage, damageFile } from '../damage.ts';
import { ownImage, snapshotOf } from '../exact-lab.ts';
import type { RunKind } from '../run-kind.ts';
import { reach } from './moments.ts';

/** What machines start from lies on a disk, too. */
const SNAPSHOT: readonly Damage[] = ['cut', 'emptied', 'flipped bit', 'zeroed block'];
const PARTS = [
  'vmlinux',
  'initrd.cpio',
  'root.ext4',
  'slice.so',
  'packages.json',
  'manifest.json',
  'qemu/bin/qemu-system-x86_64',
];
const IMAGE: readonly Damage[] = ['cut', 'emptied', 'flipped bit'];

/** Kinds for runs of the image in the folder `image`. */
export function labFileKinds(image: string): readonly RunKind[] {
  return [
    {
      name: 'damaged-snapshot',
      about: 'a file of the snapshot is damaged: memory, device state, what was said, manifest',
      weight: { mock: 0, exact: 8 },
      strike: async (scene, draw) => {
        const controller = scene.start();
        const moment = { records: draw.between(1, scene.total - 2), afterMs: draw.between(0, 400) };
        const when = await reach(moment, scene, controller);
        signal(controller.pid, 'SIGKILL');
        await controller.ended;
        const folder = await snapshotOf(scene);
        if (folder === undefined) throw new Error('the run made no snapshot');
        const name = draw.oneOf((await readdir(folder)).filter((each) => each !== 'used').sort());
        const how = await damageFile(join(folder, name), draw, SNAPSHOT);
        return { what: `killed ${when}: ${name} of the snapshot ${how}`, controllers: [controller] };
      },
    },
    {
      name: 'damaged-image',
      about: 'a part of the image is damaged: kernel, root, plugin, QEMU, manifest',
      weight: { mock: 0, exact: 5 },
      strike: async (scene, draw) => {
        const name = draw.oneOf(PARTS);
        const part = await ownImage(scene, image, name);
        const how = await damageFile(part, draw, IMAGE);
        const controller = scene.start();
        await controller.ended;
        const remedy = { asked: /Build it anew/, act: () => copyFile(join(image, name), part) };
        return { what: `${name} of the image ${how}`, controllers: [controller], remedy };
      },
    },
  ];
}
