// SPDX-License-Identifier: Apache-2.0
import { open, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { RunScene } from './scene.ts';

const MIB = 2 ** 20;

/** A small disk in memory where the run will be. */
export async function mountMemory(scene: RunScene, mib: number): Promise<void> {
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'none', scene.disk]);
  scene.undo.push(() => unmount(scene));
}

/** A small ext4 in a file, through a loop device. */
export async function mountLoop(scene: RunScene, mib: number): Promise<void> {
  const image = join(scene.folder, 'ext4');
  await writeFile(image, '');
  await truncate(image, mib * MIB);
  await execa('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  await mountImage(scene);
  scene.undo.push(() => unmount(scene));
}

async function mountImage(scene: RunScene): Promise<void> {
  await execa('mount', ['-o', 'loop', join(scene.folder, 'ext4'), scene.disk]);
}

async function unmount(scene: RunScene): Promise<void> {
  await execa('umount', ['--lazy', scene.disk], { reject: false });
}

/** Fills the disk, but for `spare` bytes at most. */
export async function fill(scene: RunScene, spare: number): Promise<void> {
  const file = await open(join(scene.disk, 'filler'), 'w');
  try {
    const { bavail, bsize } = await statfs(scene.disk);
    const chunk = Buffer.alloc(MIB, 1);
    for (let left = bavail * bsize - spare; left > 0; ) {
      const { bytesWritten } = await file.write(chunk, 0, Math.min(left, chunk.length));
      left -= bytesWritten;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await file.close();
  }
}

/** What ext4 does when its device fails: it stays readable, and nothing is written any more. */
export async function abort(scene: RunScene): Promise<void> {
  await execa('mount', ['-o', 'remount,abort', scene.disk]);
}

/**
 * The power is gone: what was not synced is lost (`EXT4_IOC_SHUTDOWN` without flushing the journal). The disk is dead until `powerOn`.
 */
export async function cutPower(scene: RunScene): Promise<void> {
  const shutdown = `open my $disk, '<', $ARGV[0] or die; my $how = pack 'L', 2; ioctl $disk, 0x8004587d, $how or die "$!"`;
  await execa('perl', ['-e', shutdown, scene.disk]);
}

/** Mounts it anew, as after a restart: the journal is replayed. */
export async function powerOn(scene: RunScene): Promise<void> {
  await execa('umount', [scene.disk]);
  await execa('e2fsck', ['-p', join(scene.folder, 'ext4')], { reject: false });
  await mountImage(scene);
}
