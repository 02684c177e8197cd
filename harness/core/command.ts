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
}

/** Starts servers, awaits them, runs the rest of its arguments, and stops the servers; see bpf/guest/serve/serve.c. */
const SERVE = '/opt/pmvx/bin/serve';

/** `${name}` inside an argument. */
export const PLACEHOLDER = /\$\{([a-z][a-z0-9_]*)\}/g;

/** The command of one run. `params` must name every parameter of the workload. */
export function commandFor(workload: Workload, params: ParameterValues, seed: Seed): WorkloadCommand {
  const { definition } = workload;
  requireLegal(workload, params);
  const run = argumentsFor(definition, params, seed);
  if (definition.warmup === undefined) return { run };
  return { run, warmup: argumentsFor(definition, { ...params, ...definition.warmup }, seed) };
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
