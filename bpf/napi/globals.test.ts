// SPDX-License-Identifier: GPL-2.0-only
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { BpfObject } from './index.js';
import { buildAddon, cannotLoad, compileBpf } from './test/compile.ts';

buildAddon();

const why = cannotLoad();
const loads =
  why === undefined ? test : (title: string, _: unknown) => test.skip(`${title} (${why})`, () => {});
const CONSTANTS = ['constant', 'constant_apart'];
const open = (name?: string) =>
  BpfObject.open(readFileSync(compileBpf('config')), name === undefined ? {} : { name });

loads("what the kernel's configuration is can be read once loaded, and set by nobody", (t) => {
  using object = open();
  const set = (name: string, value: number | boolean) => () => object.setGlobal(name, value);
  const refused = { code: 'ERR_INVALID_ARG_VALUE', message: /the kernel's: load\(\) gives it its value/ };
  t.throws(set('LINUX_KERNEL_VERSION', 7), refused);
  object.load();
  t.throws(set('LINUX_KERNEL_VERSION', 7), refused);
  t.throws(set('CONFIG_BPF', true), refused);
  t.true((object.getGlobal('LINUX_KERNEL_VERSION') as number) > 5 << 16);
});

loads('every constant stays one after loading, whatever section it is in, and the others do not', (t) => {
  using object = open();
  object.load();
  for (const name of CONSTANTS) t.throws(() => object.setGlobal(name, 7), { code: 'ERR_BPF_LOADED' }, name);
  for (const name of ['given', 'given_apart', 'zeroed']) {
    t.is(Number(object.setGlobal(name, 7).getGlobal(name)), 7, name);
  }
});

for (const name of ['a.b', 'a.data.c', 'two.dots.in', 'a.rodata', 'longer-than-eight.x', 'plain']) {
  test(`an object named ${name} has its globals`, (t) => {
    using object = open(name);
    const read = [...CONSTANTS, 'zeroed', 'given', 'given_apart'].map((each) =>
      Number(object.getGlobal(each)),
    );
    t.deepEqual(read, [3, 4, 0, 5, 6]);
  });
}

test("an object opened by its path is named as libbpf names it: the file's name up to its first dot", (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'napi-')), 'sample.b.bpf.o');
  copyFileSync(compileBpf('sample'), path);
  using object = BpfObject.open(path);
  t.is(object.name, 'sample');
  t.is(object.getGlobal('number'), -3);
});
