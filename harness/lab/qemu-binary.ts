// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { execa } from 'execa';
import { IMAGE_FILES } from './image-files.ts';

/** The dynamic loader of a root or of an image's QEMU folder: its own libraries, whatever the host has. */
export function loader(root: string): string {
  return join(root, 'usr/lib64/ld-linux-x86-64.so.2');
}

/**
 * All that QEMU's process gets of an environment, besides a path. Without fused multiply-add the C library's sine is the same on
 * every host, and so is that of the guest's x87: QEMU computes FSIN, FCOS, FSINCOS and FPTAN with it. A plain host has no AVX either.
 */
export function qemuEnvironment(plainHost = false): Readonly<Record<string, string>> {
  const missing = ['FMA', 'FMA4', ...(plainHost ? ['AVX', 'AVX2', 'AVX512F', 'BMI1', 'BMI2', 'ERMS'] : [])];
  return { LC_ALL: 'C', GLIBC_TUNABLES: `glibc.cpu.hwcaps=${missing.map((name) => `-${name}`).join(',')}` };
}

/**
 * Program and first arguments that start an image's QEMU with the libraries it was built with. `preload` is a file of the image whose
 * functions come before those of the C library. It goes by its name: the loader takes a list apart at each space and colon.
 */
export function qemuProgram(imageFolder: string, preload?: string): readonly string[] {
  const qemu = join(imageFolder, IMAGE_FILES.qemu);
  return [
    join(qemu, 'lib/ld-linux-x86-64.so.2'),
    '--library-path',
    ...(preload === undefined
      ? [join(qemu, 'lib')]
      : [`${join(qemu, 'lib')}:${imageFolder}`, '--preload', preload]),
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
