// SPDX-License-Identifier: Apache-2.0
/** Whether a value of a spec is a map of keys. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
