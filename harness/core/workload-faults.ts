// SPDX-License-Identifier: Apache-2.0
import { PLACEHOLDER } from './command.ts';
import type { Fault } from './errors.ts';
import { TIME_AFTER } from './metric.ts';
import { didYouMean } from './nearest.ts';
import { isLegal, requirement } from './parameters.ts';
import type { WorkloadDefinition } from './workload.ts';
import type { YamlSource } from './yaml-source.ts';
import { shown } from './zod-faults.ts';

/** Where the guest keeps the programs that are built from C source in the workloads' folders. */
export const DRIVER_FOLDER = '/opt/pmvx/work';

type Say = (path: readonly PropertyKey[], what: string, next: string) => void;

/** What the schema cannot see: parts of a definition that contradict each other or the files beside it. */
export function workloadFaults(
  id: string,
  definition: WorkloadDefinition,
  files: readonly string[],
  source: YamlSource,
): Fault[] {
  const faults: Fault[] = [];
  const say: Say = (path, what, next) => faults.push({ where: source.locate(path), what, next });
  checkParameters(definition, say);
  checkArguments(definition, say);
  checkValues(definition, 'warmup', say);
  checkValues(definition, 'kvm', say);
  checkMetrics(definition, say);
  checkTimes(definition, say);
  checkDriver(id, definition, files, say);
  return faults;
}

function checkParameters({ params }: WorkloadDefinition, say: Say): void {
  for (const [name, parameter] of Object.entries(params)) {
    const path = ['params', name];
    if (name === 'seed')
      say(path, 'a parameter must not be named seed', 'Rename it; the name is taken by the seed of the run');
    if (parameter.type === 'file') continue;
    if (parameter.type === 'int' && parameter.min > parameter.max) {
      const what = `min ${parameter.min} is more than max ${parameter.max}`;
      say([...path, 'min'], what, 'Swap them');
    } else if (!isLegal(parameter, parameter.default)) {
      const what = `the default of ${name} ${requirement(parameter)}, got ${shown(parameter.default)}`;
      say([...path, 'default'], what, 'Change the default or the range');
    }
  }
}

function checkArguments(definition: WorkloadDefinition, say: Say): void {
  const known = [...new Set([...Object.keys(definition.params), 'seed'])];
  const used = new Set<string>();
  const check = (text: string, path: readonly PropertyKey[]): void => {
    for (const [, name = ''] of text.matchAll(PLACEHOLDER)) {
      used.add(name);
      if (!known.includes(name)) {
        say(path, `\${${name}} names no parameter`, didYouMean(name, known));
      }
    }
    if (text.replaceAll(PLACEHOLDER, '').includes('${')) {
      say(path, `${shown(text)} holds a broken placeholder`, 'Write a dollar sign and the name in braces');
    }
  };

  const places = [
    ...definition.argv.map((argument, index) => ({ argument, index, path: ['argv', index] })),
    ...definition.servers.flatMap(({ argv }, server) =>
      argv.map((argument, index) => ({ argument, index, path: ['servers', server, 'argv', index] })),
    ),
  ];
  for (const { argument, index, path } of places) {
    if (index === 0 && (typeof argument !== 'string' || !argument.startsWith('/'))) {
      const what = `the first argument must be an absolute path, got ${shown(argument)}`;
      say(path, what, 'The guest searches no PATH');
    }
    if (typeof argument === 'string') {
      check(argument, path);
      continue;
    }
    used.add(argument.if);
    const parameter = definition.params[argument.if];
    if (parameter?.type !== 'choice') {
      const choices = Object.keys(definition.params).filter(
        (name) => definition.params[name]?.type === 'choice',
      );
      say([...path, 'if'], `${argument.if} is no choice parameter`, didYouMean(argument.if, choices));
    } else if (!parameter.values.includes(argument.is)) {
      const what = `${argument.if} is never ${shown(argument.is)}`;
      say([...path, 'is'], what, didYouMean(argument.is, parameter.values));
    }
    for (const [inner, text] of argument.add.entries()) check(text, [...path, 'add', inner]);
  }

  for (const name of Object.keys(definition.params)) {
    if (!used.has(name)) say(['params', name], `no argument uses ${name}`, 'Use it in argv or remove it');
  }
}

function checkValues(definition: WorkloadDefinition, key: 'warmup' | 'kvm', say: Say): void {
  const { params } = definition;
  for (const [name, value] of Object.entries(definition[key] ?? {})) {
    const parameter = params[name];
    if (parameter === undefined) {
      say([key, name], `${name} is no parameter`, didYouMean(name, Object.keys(params)));
    } else if (!isLegal(parameter, value)) {
      const what = `${name} ${requirement(parameter)}, got ${shown(value)}`;
      const whose = key === 'warmup' ? 'Warm-up values' : 'Values for real processors';
      say([key, name], what, `${whose} obey the same range`);
    }
  }
}

function checkTimes({ warm_s, takes_s }: WorkloadDefinition, say: Say): void {
  for (const engine of ['exact', 'kvm'] as const) {
    if (warm_s === undefined || warm_s[engine] < takes_s[engine]) continue;
    const what = `warm_s of ${engine} must be less than its takes_s, ${takes_s[engine]}, got ${warm_s[engine]}`;
    say(['warm_s', engine], what, 'A run that has ended is at no point');
  }
}

function checkMetrics({ metrics }: WorkloadDefinition, say: Say): void {
  const primary = Object.keys(metrics).filter((name) => metrics[name]?.primary);
  if (primary.length !== 1) {
    const seen = primary.length === 0 ? 'none' : primary.join(', ');
    say(['metrics'], `exactly one metric must be primary, got ${seen}`, 'It is the one that ranks policies');
  }
  for (const [name, { pattern, histogram }] of Object.entries(metrics)) {
    const path = ['metrics', name, 'pattern'];
    if (histogram !== undefined) checkHistogram(name, histogram, say);
    if (name === TIME_AFTER) {
      say(
        ['metrics', name],
        `a metric must not be named ${name}`,
        "Rename it; the name is the harness's own",
      );
    }
    try {
      // An empty alternative always matches, and the match tells the number of groups.
      const groups = (new RegExp(`${pattern}|`, 'gm').exec('')?.length ?? 0) - 1;
      if (groups !== 1) {
        say(
          path,
          `the pattern of ${name} must have exactly one group, got ${groups}`,
          'Group the number alone',
        );
      }
    } catch (error) {
      say(path, `the pattern of ${name} does not compile: ${(error as Error).message}`, 'Correct it');
    }
  }
}

type HistogramDefinition = NonNullable<WorkloadDefinition['metrics'][string]['histogram']>;

/** Groups that the patterns of a histogram must have. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  pattern: ['value', 'count'],
  beyond: ['count'],
};

function checkHistogram(name: string, histogram: HistogramDefinition, say: Say): void {
  const { pattern, beyond, within } = histogram;
  const path = ['metrics', name, 'histogram'];
  for (const [key, text] of Object.entries({ pattern, beyond, ...within })) {
    if (text === undefined) continue;
    const wanted = GROUPS[key];
    try {
      const groups = new RegExp(`${text}|`, 'gm').exec('')?.groups ?? {};
      if (wanted === undefined || wanted.every((group) => group in groups)) continue;
      const of = key === 'pattern' ? 'the pattern' : 'beyond';
      const what = `${of} of a histogram must have ${wanted.length > 1 ? 'the groups' : 'the group'} ${wanted.join(' and ')}, got ${shown(Object.keys(groups))}`;
      say([...path, key], what, `Write ${wanted.map((group) => `(?<${group}>...)`).join(' and ')}`);
    } catch (error) {
      const what = `a pattern of the histogram of ${name} does not compile: ${(error as Error).message}`;
      say([...path, ...(wanted === undefined ? ['within'] : []), key], what, 'Correct it');
    }
  }
}

function checkDriver(id: string, definition: WorkloadDefinition, files: readonly string[], say: Say): void {
  if (definition.source !== 'driver') return;
  if (!files.includes(`${id}.c`)) {
    say(['source'], `there is no ${id}.c beside this file`, 'Add it, or name the Debian package as source');
  }
  const program = `${DRIVER_FOLDER}/${id}`;
  if (definition.argv[0] !== program) {
    say(
      ['argv', 0],
      `a driver must be run as ${program}, got ${shown(definition.argv[0])}`,
      'Correct the path',
    );
  }
}
