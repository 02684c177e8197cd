// SPDX-License-Identifier: Apache-2.0
import type { MapKind, PolicyMap, PolicyMapReader } from './policy-map.ts';
import type { ReadOptions } from './sqlite/open.ts';

/** Whether `--map` names a database server rather than a file. */
export function isAddress(map: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(map);
}

/** Opens the map that `--map` names, a file or `postgres://...`, to read. It must exist. */
export async function readMap(map: string, options: ReadOptions = {}): Promise<PolicyMapReader> {
  if (isAddress(map)) return (await import('./postgres/connect.ts')).readPostgresMap(map);
  return (await import('./sqlite/reader.ts')).readSqliteMap(map, options);
}

/** Opens the map that `--map` names to write. With `kind` it is made when there is none, and must be of that kind otherwise. */
export async function openMap(map: string, kind?: MapKind): Promise<PolicyMap> {
  if (isAddress(map)) return (await import('./postgres/connect.ts')).openPostgresMap(map, kind);
  return (await import('./sqlite/writer.ts')).openSqliteMap(map, kind);
}
