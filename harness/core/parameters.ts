// SPDX-License-Identifier: Apache-2.0
import type { ParameterValues, WorkloadDefinition } from './workload.ts';

export type Parameter = WorkloadDefinition['params'][string];

/** What a parameter's value must be, as the rest of a sentence. */
export function requirement(parameter: Parameter): string {
  return parameter.type === 'int'
    ? `must be a whole number from ${parameter.min} to ${parameter.max}`
    : `must be one of ${parameter.values.join(', ')}`;
}

/** Whether `value` is one that the parameter takes. */
export function isLegal(parameter: Parameter, value: unknown): boolean {
  return parameter.type === 'int'
    ? Number.isInteger(value) && (value as number) >= parameter.min && (value as number) <= parameter.max
    : typeof value === 'string' && parameter.values.includes(value);
}

/** Every parameter at its default. */
export function defaultParameters(definition: WorkloadDefinition): ParameterValues {
  return Object.fromEntries(Object.entries(definition.params).map(([name, each]) => [name, each.default]));
}
