// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Policy, PolicyDefinition } from '../core/policy.ts';
import { type Check, checked } from './check.ts';

type OfKind<K extends PolicyDefinition['kind']> = Extract<PolicyDefinition, { kind: K }>;

/** Where a setting of a part of the kernel lies. */
const PLACES = {
  sched: /^\/(sys\/kernel\/debug\/sched|proc\/sys\/kernel)\//,
  memory: /^\/(sys\/kernel\/mm|proc\/sys\/vm)\//,
  io: /^\/sys\/block\/\w+\/queue\//,
  network: /^\/proc\/sys\/net\//,
} as const;
/** The guest reads so many characters of a setting at most; see SETTING_MAX in bpf/guest/agent/agent.h. */
const LONGEST = 127;

/** All that a policy's folder must fulfil, beside what reading `policy.yaml` finds. */
export async function checkPolicy(root: string, { id, definition }: Policy): Promise<Check[]> {
  switch (definition.kind) {
    case 'builtin':
      return [];
    case 'process':
      return [checkProgram(id, definition)];
    case 'struct_ops':
      return [await checkSource(root, id, definition)];
    case 'knob':
      return [checkSettings(definition), checkDevices(definition)];
  }
}

function checkProgram(id: string, { argv, ops, crate }: OfKind<'process'>): Check {
  const program = /^\/opt\/pmvx\/sched\/(scx_[a-z0-9]+)$/.exec(argv[0] ?? '')?.[1];
  const what = "the kernel's name for it is that of its program";
  if (program === undefined) return checked(what, [`${argv[0]} is no /opt/pmvx/sched/scx_*`]);
  // All schedulers call their ops as the program without `scx_`; those in Rust add their version.
  const expected = program.slice('scx_'.length) + (crate === undefined ? '' : '_*');
  return checked(what, [
    ...(ops === expected ? [] : [`ops is ${ops}, expected ${expected}`]),
    ...(crate === undefined || crate.replace(/@.*/, '') === program
      ? []
      : [`crate ${crate} has no ${program}`]),
    ...(id === program || id.startsWith(`${program}-`) ? [] : [`the folder of a variant is ${program}-*`]),
  ]);
}

async function checkSource(
  root: string,
  id: string,
  { ops, constants }: OfKind<'struct_ops'>,
): Promise<Check> {
  const path = `bpf/policies/${id}/${id}.bpf.c`;
  const what = 'its source has the name, the licence and the constants that the policy says';
  const source = await readFile(join(root, path), 'utf8').catch(() => undefined);
  if (source === undefined) return checked(what, [`there is no ${path}`]);
  const name = /\.name = "([^"]*)"/.exec(source)?.[1];
  const known = new Set([...source.matchAll(/^const volatile \w+ (\w+)\b/gm)].map((match) => match[1]));
  return checked(what, [
    ...(name === ops ? [] : [`.name is ${name}, ops is ${ops}`]),
    ...(/char _license\[\] SEC\("license"\) = "GPL"/.test(source) ? [] : ['it has no licence "GPL"']),
    ...Object.keys(constants)
      .filter((constant) => !known.has(constant))
      .map((constant) => `it has no "const volatile" ${constant}`),
  ]);
}

function checkSettings({ subsystem, settings }: OfKind<'knob'>): Check {
  const paths = settings.map(({ path }) => path);
  const faults = settings.flatMap(({ path, value, reads = value }, index) => [
    ...(PLACES[subsystem].test(path) ? [] : [`${path} is not where settings of ${subsystem} are`]),
    ...(paths.indexOf(path) === index ? [] : [`${path} is set twice`]),
    ...(reads === reads.trim()
      ? []
      : [`${path}: the guest trims what it reads, and expects ${JSON.stringify(reads)}`]),
    ...(/[[\]\n]/.test(reads) ? [`${path}: of a choice the guest reads what is in the brackets`] : []),
    ...(reads.length <= LONGEST ? [] : [`${path}: the guest reads ${LONGEST} characters at most`]),
  ]);
  return checked(
    'each setting is where its part of the kernel has them, once, and can be read back whole',
    faults,
  );
}

function checkDevices({ settings, modules }: OfKind<'knob'>): Check {
  const devices = settings.flatMap(({ path }) => /^\/sys\/block\/(\w+)\//.exec(path)?.[1] ?? []);
  const made = modules.some((each) => each.startsWith('null_blk '));
  const faults = devices
    .filter((device) => !made || !/^nullb\d+$/.test(device))
    .map((device) => `no module of it makes ${device}; null_blk makes nullb0, nullb1, ...`);
  return checked('the device that it sets is one that its modules make', faults);
}
