// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readDefinitions } from '../../core/definition-folders.ts';
import { ExitCode, PmvxError } from '../../core/errors.ts';
import { canonicalJson, shortDigest } from '../../core/ids.ts';
import { didYouMean } from '../../core/nearest.ts';
import { type Policy, PolicySchema } from '../../core/policy.ts';
import { pinFaults } from '../../core/program-pins.ts';
import type { Holder } from './holder.ts';
import type { Keeper } from './keeper.ts';
import { knobHolder, type SavedSetting } from './knob.ts';
import { processHolder } from './process.ts';
import { structOpsHolder } from './struct-ops.ts';

export interface PolicyPlaces {
  /** Folder with a folder for each policy. */
  readonly policies: string;
  /** Folder with `<policy>.bpf.o`. */
  readonly objects: string;
  /** Folder with the programs of schedulers, instead of the one that their policy names. */
  readonly programs?: string | undefined;
}

export interface HolderHooks {
  readonly saveSettings: (settings: readonly SavedSetting[]) => Promise<void>;
  readonly childStarted: (pid: number) => void;
  readonly childEnded: (pid: number) => void;
  readonly watchdogMs: number;
  readonly keepLoaded: boolean;
  /** Holds what they have in effect; absent: this process does. */
  readonly keeper?: Keeper | undefined;
}

/** All policies that can be used, or those that are named; throws with the faults of these. A fault of one is no other's. */
export async function readPolicies(folder: string, wanted?: readonly string[]): Promise<Policy[]> {
  const place = { folder: basename(folder), file: 'policy.yaml', schema: PolicySchema, check: () => [] };
  const found = await readDefinitions(dirname(folder), place);
  const broken = new Map([...found.broken, ...pinFaults(found.definitions.values(), found.locate)]);
  const definitions = new Map([...found.definitions].filter(([id]) => !broken.has(id)));
  const faults = (wanted ?? (definitions.size === 0 ? [...broken.keys()] : [])).flatMap(
    (id) => broken.get(id) ?? [],
  );
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
  const unknown = (wanted ?? []).filter((id) => !definitions.has(id));
  if (unknown.length > 0 || definitions.size === 0) {
    const known = [...definitions.keys()];
    const [first] = unknown;
    throw new PmvxError(ExitCode.usage, {
      where: folder,
      what: first === undefined ? 'no policy is defined here' : `there is no policy ${first}`,
      next: first === undefined ? 'Give places.policies in the configuration' : didYouMean(first, known),
    });
  }
  return [...definitions.values()].filter(({ id }) => wanted === undefined || wanted.includes(id));
}

/** Who can bring each policy into effect here, and why nobody can for the others. */
export function holdersFor(
  policies: readonly Policy[],
  places: PolicyPlaces,
  schedExt: boolean,
  hooks: HolderHooks,
): { readonly holders: ReadonlyMap<string, Holder>; readonly lacking: ReadonlyMap<string, string> } {
  const holders = new Map<string, Holder>();
  const lacking = new Map<string, string>();
  for (const policy of policies) {
    if (policy.definition.kind === 'builtin') continue;
    const found = holderOf(policy, places, schedExt, hooks);
    if (typeof found === 'string') lacking.set(policy.id, found);
    else holders.set(policy.id, found);
  }
  return { holders, lacking };
}

function holderOf(
  { id, definition }: Policy,
  places: PolicyPlaces,
  schedExt: boolean,
  hooks: HolderHooks,
): Holder | string {
  if (definition.kind === 'knob') {
    // Such modules make devices or change what is there; that is an administrator's to do.
    if (definition.modules.some((module) => module.includes(' '))) return 'its kernel modules take options';
    const missing = definition.settings.find(({ path }) => !existsSync(path));
    if (missing !== undefined) return `${missing.path} is not there`;
    return knobHolder({ settings: definition.settings, save: hooks.saveSettings, keeper: hooks.keeper });
  }
  if (!schedExt) return 'this kernel has no sched_ext';
  if (definition.kind === 'process') {
    const [given = '', ...rest] = definition.argv;
    const program = places.programs === undefined ? given : join(places.programs, basename(given));
    if (!existsSync(program)) return `${program} is not there`;
    const { childStarted: started, childEnded: ended } = hooks;
    const { keeper } = hooks;
    return processHolder({ argv: [program, ...rest], ops: definition.ops, started, ended, keeper });
  }
  if (definition.kind === 'builtin') return 'it is the kernel itself';
  const object = join(places.objects, `${id}.bpf.o`);
  if (!existsSync(object)) return `${object} is not there`;
  const { ops, constants } = definition;
  const { watchdogMs, keepLoaded, keeper } = hooks;
  return structOpsHolder({ object, ops, constants, watchdogMs, keepLoaded, keeper });
}

/** For a dry run: what a policy is, whether or not this machine could have it. */
export function definitionVersion({ definition }: Policy): string {
  return shortDigest(canonicalJson(definition));
}
