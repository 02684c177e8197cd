// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { loadCatalog } from '../../harness/core/load-catalog.ts';
import type { PolicyDefinition } from '../../harness/core/policy.ts';

const { policies } = await loadCatalog(join(import.meta.dirname, '..', '..'));

/** The policies of a kind. */
function ofKind<K extends PolicyDefinition['kind']>(kind: K) {
  return [...policies.values()].flatMap(({ id, definition }) =>
    definition.kind === kind
      ? [{ id, definition: definition as Extract<PolicyDefinition, { kind: K }> }]
      : [],
  );
}

const processes = ofKind('process');
const settings = ofKind('knob');

test('the built-in scheduler is there once, as the baseline of all others', (t) => {
  t.deepEqual(
    ofKind('builtin').map(({ id }) => id),
    ['eevdf'],
  );
});

for (const { id, definition } of processes) {
  test(`${id}: the kernel's name for it is that of its program`, (t) => {
    const program = /^\/opt\/pmvx\/sched\/(scx_[a-z0-9]+)$/.exec(definition.argv[0] ?? '')?.[1] ?? '';
    t.not(program, '');
    // All schedulers call their ops as the program without `scx_`; those in Rust add their version.
    const { crate } = definition;
    t.is(definition.ops, program.slice('scx_'.length) + (crate === undefined ? '' : '_*'));
    if (crate !== undefined) t.is(crate.replace(/@.*/, ''), program);
    t.true(id === program || id.startsWith(`${program}-`), 'a variant is named after its program');
  });
}

test('no two policies are the same command', (t) => {
  const commands = processes.map(({ definition }) => definition.argv.join(' '));
  t.is(new Set(commands).size, commands.length);
});

for (const { id, definition } of ofKind('struct_ops')) {
  test(`${id}: its source has the name, the licence and the constants that the policy says`, async (t) => {
    const source = await readFile(join(import.meta.dirname, id, `${id}.bpf.c`), 'utf8');
    t.is(/\.name = "([^"]*)"/.exec(source)?.[1], definition.ops);
    t.regex(source, /char _license\[\] SEC\("license"\) = "GPL"/);
    const constants = [...source.matchAll(/^const volatile \w+ (\w+)\b/gm)].map(([, name]) => name);
    for (const name of Object.keys(definition.constants)) t.true(constants.includes(name), name);
  });
}

/** Where a setting of a part of the kernel lies. */
const PLACES = {
  sched: /^\/(sys\/kernel\/debug\/sched|proc\/sys\/kernel)\//,
  memory: /^\/(sys\/kernel\/mm|proc\/sys\/vm)\//,
  io: /^\/sys\/block\/\w+\/queue\//,
  network: /^\/proc\/sys\/net\//,
} as const;
/** The guest reads so many characters of a setting at most; see SETTING_MAX in bpf/guest/agent/agent.h. */
const LONGEST = 127;

for (const { id, definition } of settings) {
  test(`${id}: each setting is where its part of the kernel has them, once, and can be read back whole`, (t) => {
    const paths = definition.settings.map(({ path }) => path);
    t.is(new Set(paths).size, paths.length);
    for (const { path, value, reads = value } of definition.settings) {
      t.regex(path, PLACES[definition.subsystem]);
      t.is(reads, reads.trim(), 'the guest trims what it reads');
      t.notRegex(reads, /[[\]\n]/, 'of a choice the guest reads what is in the brackets');
      t.true(reads.length <= LONGEST);
    }
  });

  const devices = definition.settings.flatMap(({ path }) => /^\/sys\/block\/(\w+)\//.exec(path)?.[1] ?? []);
  if (devices.length > 0) {
    test(`${id}: the device that it sets is one that its modules make`, (t) => {
      for (const device of devices) t.regex(device, /^nullb\d+$/);
      t.true(definition.modules.some((each) => each.startsWith('null_blk ')));
    });
  }
}

test('no two policies are the same settings, and all that load a module load it with the same options', (t) => {
  const written = settings.map(({ definition }) =>
    JSON.stringify(definition.settings.map(({ path, value }) => [path, value]).sort()),
  );
  t.is(new Set(written).size, written.length);
  // Options of a module that is loaded already are ignored.
  const modules = new Set(settings.flatMap(({ definition }) => definition.modules));
  const names = [...modules].map((each) => each.replace(/ .*/, ''));
  t.is(new Set(names).size, names.length);
});
