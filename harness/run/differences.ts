// SPDX-License-Identifier: Apache-2.0

/** A place at which two JSON values differ; a side is `undefined` when it has nothing there. */
export interface Difference {
  /** Like `machine.vcpus` or `policies[2]`. */
  readonly path: string;
  readonly was: unknown;
  readonly is: unknown;
}

/** Every leaf at which two JSON values differ, in the order of `was`, then what only `is` has. */
export function differences(was: unknown, is: unknown, path = ''): Difference[] {
  if (!isTree(was) || !isTree(is) || Array.isArray(was) !== Array.isArray(is)) {
    return Object.is(was, is) ? [] : [{ path, was, is }];
  }
  const keys = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...keys].flatMap((key) => differences(was[key], is[key], join(path, key, Array.isArray(was))));
}

/** `machine.vcpus was 4, is 2`. */
export function formatDifference({ path, was, is }: Difference): string {
  return `${path} was ${shown(was)}, is ${shown(is)}`;
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function join(path: string, key: string, inArray: boolean): string {
  if (inArray) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
