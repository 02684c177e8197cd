// SPDX-License-Identifier: Apache-2.0
import { namedFile } from '../core/file-parameter.ts';
import { didYouMean, nearest } from '../core/nearest.ts';
import { isLegal, type Parameter, requirement } from '../core/parameters.ts';
import type { EngineName } from '../core/trial.ts';
import type { ParameterValues, Workload } from '../core/workload.ts';
import { shown } from '../core/zod-faults.ts';

/** What is wrong with one parameter of a workload; `unknown` ones are about the key. */
export interface ParameterFault {
  readonly name: string;
  readonly unknown: boolean;
  readonly what: string;
  readonly next: string;
}

/** The value of every parameter in the workload's own order: as given, else its default, on `engine` where that has its own. */
export function resolveParameters(
  workload: Workload,
  given: Readonly<Record<string, unknown>>,
  engine: EngineName,
): { readonly params: ParameterValues; readonly faults: readonly ParameterFault[] } {
  const definitions = workload.definition.params;
  const faults: ParameterFault[] = [];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(definitions, name)) continue;
    const known = Object.keys(definitions);
    const what = `${workload.id} has no parameter ${shown(name)}`;
    const next = known.length === 0 ? 'It takes no parameters: remove it.' : didYouMean(name, known);
    faults.push({ name, unknown: true, what, next });
  }
  const usual = isReal(engine) ? workload.definition.kvm : {};
  const params: Record<string, string | number> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    const value = Object.hasOwn(given, name) ? given[name] : (usual[name] ?? definition.default);
    if (definition.type === 'file') {
      try {
        params[name] = namedFile(String(value), definition.max_bytes);
      } catch (error) {
        const what = `${name} of ${workload.id} ${(error as Error).message}`;
        faults.push({ name, unknown: false, what, next: advice(definition, value) });
      }
      continue;
    }
    const meant = asMeant(definition, value);
    if (isLegal(definition, meant)) params[name] = meant as string | number;
    else {
      const what = `${name} of ${workload.id} ${requirement(definition)}, got ${shown(value)}`;
      faults.push({ name, unknown: false, what, next: advice(definition, value) });
    }
  }
  return { params, faults };
}

/** Whether a guest's processors are as fast as the host's, so that work must be larger to take as long. */
function isReal(engine: EngineName): boolean {
  return engine === 'kvm' || engine === 'native';
}

/** Readable name of a set of parameter values: `transport=pipe,groups=2`; `default` when there are none. */
export function variantName(params: ParameterValues): string {
  const parts = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  return parts.length === 0 ? 'default' : parts.join(',');
}

/** YAML reads an unquoted 64 or true as a number or boolean; a choice is named by its text. */
function asMeant(definition: Parameter, value: unknown): unknown {
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  return definition.type === 'choice' && scalar ? String(value) : value;
}

function advice(definition: Parameter, value: unknown): string {
  const close = definition.type === 'choice' ? nearest(String(value), definition.values) : undefined;
  if (close !== undefined) return `Did you mean ${close}?`;
  return `${definition.about.replace(/\.$/, '')}. Default: ${definition.default}.`;
}
