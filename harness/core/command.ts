// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from './errors.ts';
import { isLegal, requirement } from './parameters.ts';
import type { Seed } from './seed.ts';
import type { ParameterValues, Workload, WorkloadDefinition } from './workload.ts';
import { shown } from './zod-faults.ts';

/** Complete argument vectors; no shell ever sees them. */
export interface WorkloadCommand {
  readonly run: readonly string[];
  /** Absent when the workload has no warm-up. */
  readonly warmup?: readonly string[];
  /** What must be in the guest before either; absent when nothing must. */
  readonly files?: readonly WorkloadFile[];
}

/** A file of the user's that a run reads. */
export interface WorkloadFile {
  /** Its place in the guest. */
  readonly path: string;
  /** Path and digest, as in the parameter's value. */
  readonly value: string;
}

/** Starts servers, awaits them, runs the rest of its arguments, and stops the servers; see bpf/guest/serve/serve.c. */
const SERVE = '/opt/pmvx/bin/serve';

/** `${name}` inside an argument. */
export const PLACEHOLDER = /\$\{([a-z][a-z0-9_]*)\}/g;

/** The command of one run. `params` must name every parameter of the workload. */
export function commandFor(workload: Workload, params: ParameterValues, seed: Seed): WorkloadCommand {
  const { definition } = workload;
  requireLegal(workload, params);
  const files = filesOf(definition, params);
  const placed = { ...params, ...Object.fromEntries(files.map(({ name, path }) => [name, path])) };
  const run = argumentsFor(definition, placed, seed);
  return {
    run,
    ...(definition.warmup === undefined
      ? {}
      : { warmup: argumentsFor(definition, { ...placed, ...definition.warmup }, seed) }),
    ...(files.length === 0 ? {} : { files: files.map(({ path, value }) => ({ path, value })) }),
  };
}

function filesOf({ params: known }: WorkloadDefinition, params: ParameterValues) {
  return Object.entries(known)
    .filter(([, { type }]) => type === 'file')
    .map(([name]) => ({ name, path: `/run/pmvx-${name}`, value: String(params[name]) }));
}

function argumentsFor(definition: WorkloadDefinition, params: ParameterValues, seed: Seed): string[] {
  const values: ParameterValues = { ...params, seed };
  const run = filledIn(definition.argv, values);
  if (definition.servers.length === 0) return run;
  const servers = definition.servers.flatMap(({ argv, ready }) => {
    const server = filledIn(argv, values);
    const seen = 'port' in ready ? ['--port', String(ready.port)] : ['--socket', ready.socket];
    return [...seen, String(server.length), ...server];
  });
  return [SERVE, ...servers, '--', ...run];
}

function filledIn(argv: WorkloadDefinition['argv'], values: ParameterValues): string[] {
  return argv
    .flatMap((argument) => {
      if (typeof argument === 'string') return [argument];
      return values[argument.if] === argument.is ? argument.add : [];
    })
    .map((argument) => argument.replaceAll(PLACEHOLDER, (_text, name: string) => String(values[name])));
}

function requireLegal(workload: Workload, params: ParameterValues): void {
  const faults = Object.entries(workload.definition.params).flatMap(([name, parameter]) => {
    const value = params[name];
    if (isLegal(parameter, value)) return [];
    return [{ where: `${workload.id}.${name}`, what: `${requirement(parameter)}, got ${shown(value)}` }];
  });
  if (faults.length > 0) throw new PmvxError(ExitCode.usage, faults);
}
