// SPDX-License-Identifier: Apache-2.0
import { stripTypeScriptTypes } from 'node:module';
import { posix, resolve } from 'node:path';
import test from 'ava';
import { DAEMON_ENTRY, packDaemon } from './guest-code.ts';

const root = resolve(import.meta.dirname, '../..');
const whole = { madeUp: ['made-up-stall'], missingProbes: ['mem'] };

interface Archive {
  readonly root: string;
  readonly files: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
}

const archive = JSON.parse(packDaemon(root, ['pmvx_chain'], whole)) as Archive;

test("the daemon's code comes whole: what a file imports is in the archive or compiled in the image", (t) => {
  t.true(Object.hasOwn(archive.files, DAEMON_ENTRY));
  const missing = Object.entries(archive.files).flatMap(([path, text]) =>
    [...text.matchAll(/\bfrom\s*['"](\.{1,2}\/[^'"]+)['"]/g)]
      .map(([, specifier]) => posix.join(posix.dirname(path), specifier as string))
      .filter((to) => !Object.hasOwn(archive.files, to) && !Object.hasOwn(archive.links, posix.dirname(to)))
      .map((to) => `${path} imports ${to}`),
  );
  t.deepEqual(missing, []);
});

test('nothing heavy comes along: neither tables, figures nor the command line', (t) => {
  const heavy = Object.values(archive.files).flatMap((text) => [
    ...text.matchAll(/from '(danfojs-node|vega[\w-]*|execa|zx|commander)'/g),
  ]);
  t.deepEqual(heavy, []);
});

test('types are gone, so that the guest need not strip them', (t) => {
  const typed = Object.entries(archive.files).filter(
    ([path, text]) => path.endsWith('.ts') && stripTypeScriptTypes(text) !== text,
  );
  t.deepEqual(typed, []);
});

test('policies that are there to fail lie beside the others, and a set of probes may be missing', (t) => {
  t.truthy(archive.files['bpf/policies/made-up-stall/policy.yaml']);
  t.is(archive.links['objects/made-up-stall.bpf.o'], '/opt/pmvx/runtime/made-up/made-up-stall.bpf.o');
  t.is(archive.links['objects/pmvx_chain.bpf.o'], '/opt/pmvx/sched/pmvx_chain.bpf.o');
  t.false(Object.hasOwn(archive.links, 'probes/mem.bpf.o'));
  t.true(Object.hasOwn(archive.links, 'probes/cpu.bpf.o'));
});

test('the same tree gives the same bytes', (t) => {
  t.is(packDaemon(root, ['pmvx_chain'], whole), packDaemon(root, ['pmvx_chain'], whole));
});
