// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commandFor, type WorkloadCommand } from '../core/command.ts';
import { defaultParameters, type Parameter } from '../core/parameters.ts';
import { deriveSeed } from '../core/seed.ts';
import type { ParameterValues, Workload } from '../core/workload.ts';
import { type Check, checked } from './check.ts';
import { checkDistributions } from './check-distributions.ts';
import { checkSamples } from './check-samples.ts';

/** Where the guest keeps what is in the workloads' folders `guest/`. */
const FILES = '/opt/pmvx/files';
const seed = deriveSeed(7, 'contract');

/** All that a workload's folder must fulfil, beside what reading `workload.yaml` finds; its driver is checked apart. */
export async function checkWorkload(root: string, workload: Workload): Promise<Check[]> {
  const samples = await checkSamples(root, workload);
  return [
    ...samples,
    ...(await checkDistributions(root, workload)),
    checkVectors(workload),
    checkFiles(root, workload),
    checkServers(workload),
    checkNames(workload),
  ];
}

/** Every parameter at one end of its range, or at each of its choices. */
function extremes(parameter: Parameter): readonly (string | number)[] {
  // Another file is another content, and no other argument.
  if (parameter.type === 'file') return [];
  return parameter.type === 'int' ? [parameter.min, parameter.max] : parameter.values;
}

/** Every legal parameter gives a complete argument vector, and each value that is not the default changes it. */
function checkVectors(workload: Workload): Check {
  const { definition } = workload;
  const usual = defaultParameters(definition);
  const sets = Object.entries(definition.params).flatMap(([name, parameter]) =>
    extremes(parameter).map((value) => ({ name, value, params: { ...usual, [name]: value } })),
  );
  const line = (params: ParameterValues): string => wordsOf(commandFor(workload, params, seed)).join(' ');
  const faults = [usual, ...sets.map(({ params }) => params), { ...usual, ...definition.kvm }]
    .map((params) => wordsOf(commandFor(workload, params, seed)))
    .flatMap((words) => [
      ...(words[0]?.startsWith('/') ? [] : [`the program ${words[0]} is no absolute path`]),
      ...words.filter((word) => /[${}]|undefined/.test(word)).map((word) => `${word} is not filled in`),
    ]);
  const commands = new Map([[line(usual), 'the defaults']]);
  for (const { name, value, params } of sets) {
    if (value === usual[name]) continue;
    const same = commands.get(line(params));
    if (same !== undefined) faults.push(`${name} ${value} gives the same command as ${same}`);
    else commands.set(line(params), `${name} ${value}`);
  }
  return checked('every legal parameter gives a complete argument vector', [...new Set(faults)]);
}

function wordsOf({ run, warmup = [] }: WorkloadCommand): string[] {
  return [...run, ...warmup];
}

/** Files below the guest's place for workloads are in this workload's own folder. */
function checkFiles(root: string, workload: Workload): Check {
  const { id, definition } = workload;
  const named = wordsOf(commandFor(workload, defaultParameters(definition), seed)).filter((word) =>
    word.startsWith(`${FILES}/`),
  );
  const faults = [...new Set(named)].flatMap((word) => {
    const [, own, inside] = /^([^/]+)\/(.+)$/.exec(word.slice(FILES.length + 1)) ?? [];
    if (own !== id) return [`${word} is another workload's`];
    const path = `workloads/${id}/guest/${inside}`;
    return existsSync(join(root, path)) ? [] : [`${word}: there is no ${path}`];
  });
  return checked('the files that it names are its own and are there', faults);
}

function checkServers({ definition }: Workload): Check {
  const faults = definition.servers
    .map(({ argv: [program] }) => String(program))
    .filter((program) => !/^\/\S+$/.test(program))
    .map((program) => `the server ${program} is no absolute path`);
  return checked('its servers are named by absolute paths', faults);
}

/** A length that a person sets is no metric: the elapsed time of such a run says nothing. */
function checkNames({ definition }: Workload): Check {
  const set = Object.keys(definition.params).filter((name) => /duration|seconds|runtime/.test(name));
  const faults = set.map((name) => `the parameter ${name} sets how long a run lasts, and its end is "work"`);
  return checked(
    'no metric is the length of a run whose length is fixed',
    definition.ends === 'work' ? faults : [],
  );
}
