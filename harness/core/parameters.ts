// SPDX-License-Identifier: Apache-2.0
import { FILE_VALUE, namedFile } from './file-parameter.ts';
import type { ParameterValues, WorkloadDefinition } from './workload.ts';

export type Parameter = WorkloadDefinition['params'][string];

/** What a parameter's value must be, as the rest of a sentence. */
export function requirement(parameter: Parameter): string {
  if (parameter.type === 'file') return 'must be a path and the digest of its file';
  return parameter.type === 'int'
    ? `must be a whole number from ${parameter.min} to ${parameter.max}`
    : `must be one of ${parameter.values.join(', ')}`;
}

/** Whether `value` is one that the parameter takes. */
export function isLegal(parameter: Parameter, value: unknown): boolean {
  if (parameter.type === 'file') return typeof value === 'string' && FILE_VALUE.test(value);
  return parameter.type === 'int'
    ? Number.isInteger(value) && (value as number) >= parameter.min && (value as number) <= parameter.max
    : typeof value === 'string' && parameter.values.includes(value);
}

/** Every parameter at its default; throws RangeError when a file is not there. */
export function defaultParameters(definition: WorkloadDefinition): ParameterValues {
  return Object.fromEntries(
    Object.entries(definition.params).map(([name, each]) => [
      name,
      each.type === 'file' ? namedFile(each.default, each.max_bytes) : each.default,
    ]),
  );
}
