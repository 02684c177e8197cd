// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { qemuEnvironment, qemuProgram } from './qemu-binary.ts';

test("QEMU is started by the image's own loader, with the image's own libraries", (t) => {
  t.deepEqual(qemuProgram('/images/quick').slice(0, 4), [
    '/images/quick/qemu/lib/ld-linux-x86-64.so.2',
    '--library-path',
    '/images/quick/qemu/lib',
    '/images/quick/qemu/bin/qemu-system-x86_64',
  ]);
});

test('what is preloaded goes by its name, so that a space in a path does not take it apart', (t) => {
  const program = qemuProgram('/my images/quick', 'slice.so');
  t.deepEqual(program.slice(1, 5), [
    '--library-path',
    '/my images/quick/qemu/lib:/my images/quick',
    '--preload',
    'slice.so',
  ]);
});

test('no host lets the C library use fused multiply-add, and a plain one has no AVX either', (t) => {
  t.is(qemuEnvironment().GLIBC_TUNABLES, 'glibc.cpu.hwcaps=-FMA,-FMA4');
  t.regex(qemuEnvironment(true).GLIBC_TUNABLES ?? '', /^glibc\.cpu\.hwcaps=-FMA,-FMA4,-AVX,-AVX2,/);
});
