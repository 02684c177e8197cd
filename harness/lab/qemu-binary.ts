// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { IMAGE_FILES } from './image-files.ts';

/** The dynamic loader of a root or of an image's QEMU folder: its own libraries, whatever the host has. */
export function loader(root: string): string {
  return join(root, 'usr/lib64/ld-linux-x86-64.so.2');
}

/** Program and first arguments that start an image's QEMU with the libraries it was built with. */
export function qemuProgram(imageFolder: string): readonly string[] {
  const qemu = join(imageFolder, IMAGE_FILES.qemu);
  return [
    join(qemu, 'lib/ld-linux-x86-64.so.2'),
    '--library-path',
    join(qemu, 'lib'),
    join(qemu, 'bin/qemu-system-x86_64'),
    '-L',
    join(qemu, 'share'),
  ];
}

/** `10.0.13`, as QEMU itself says. */
export async function qemuVersion(imageFolder: string): Promise<string> {
  const [program, ...options] = qemuProgram(imageFolder);
  const { stdout } = await execa(program as string, [...options, '--version']);
  return /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? 'unknown';
}
