// SPDX-License-Identifier: Apache-2.0
import { builderKinds } from './builder-kinds.ts';
import { exactLab } from './exact-lab.ts';
import type { Kind } from './kind.ts';
import { CLOCK_KINDS } from './kinds/clock.ts';
import { DISK_KINDS } from './kinds/disk.ts';
import { FILE_KINDS } from './kinds/files.ts';
import { labFileKinds } from './kinds/lab-files.ts';
import { MACHINE_KINDS } from './kinds/machines.ts';
import { MEMORY_KINDS } from './kinds/memory.ts';
import { PROCESS_KINDS } from './kinds/process.ts';
import { mapKinds } from './map-kinds.ts';
import { mockLab } from './mock-lab.ts';
import { kindsOn } from './run-kind.ts';

export interface Grounds {
  /** Folder of the project. */
  readonly root: string;
  /** Scratch of the campaign. */
  readonly folder: string;
  /** Folder of the image that machines run; without it there are no faults of `exact`. */
  readonly image?: string;
  /** Machines at once in a run of `exact`. */
  readonly jobs: number;
}

/** Every kind of fault, whether or not it can happen on this host. */
export async function allKinds({ root, folder, image, jobs }: Grounds): Promise<Kind[]> {
  const everywhere = [...PROCESS_KINDS, ...FILE_KINDS, ...DISK_KINDS, ...CLOCK_KINDS, ...MEMORY_KINDS];
  const machines =
    image === undefined
      ? []
      : kindsOn(await exactLab(folder, image, jobs), [
          ...everywhere,
          ...MACHINE_KINDS,
          ...labFileKinds(image),
        ]);
  return [
    ...kindsOn(await mockLab(folder), everywhere),
    ...machines,
    ...mapKinds(root, folder),
    ...builderKinds(),
  ];
}
