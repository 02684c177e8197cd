// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Fault } from './errors.ts';
import { NAME_PATTERN } from './ids.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';
import { zodFaults } from './zod-faults.ts';

/** A place where each folder is one definition. */
export interface DefinitionPlace<T> {
  /** Below the project's root. */
  readonly folder: string;
  /** The YAML file in each folder. */
  readonly file: string;
  readonly schema: z.ZodType<T>;
  /** What the schema cannot see. `files` are the names in the definition's folder. */
  readonly check: (id: string, definition: T, files: readonly string[], source: YamlSource) => Fault[];
}

export interface Found<T> {
  readonly definitions: ReadonlyMap<string, { readonly id: string; readonly definition: T }>;
  /** Faults of the others, by the names of their folders. */
  readonly broken: ReadonlyMap<string, readonly Fault[]>;
  /** `file:line:col` of a key of a definition. */
  readonly locate: (id: string, path: readonly PropertyKey[]) => string;
}

/** Reads every definition of a place, sorted by id; a fault of one is no other's. */
export async function readDefinitions<T>(root: string, place: DefinitionPlace<T>): Promise<Found<T>> {
  const definitions = new Map<string, { id: string; definition: T }>();
  const broken = new Map<string, readonly Fault[]>();
  const sources = new Map<string, YamlSource>();
  for (const id of await folderNames(join(root, place.folder))) {
    const outcome = await readOne(root, place, id).catch((error: NodeJS.ErrnoException) => {
      if (error.code === undefined) throw error;
      const file = `${place.folder}/${id}/${place.file}`;
      return [
        { where: file, what: `cannot be read (${error.code})`, next: 'Check what it is, and its mode' },
      ];
    });
    if (Array.isArray(outcome)) broken.set(id, outcome);
    else {
      definitions.set(id, { id, definition: outcome.definition });
      sources.set(id, outcome.source);
    }
  }
  const locate = (id: string, path: readonly PropertyKey[]): string => sources.get(id)?.locate(path) ?? id;
  return { definitions, broken, locate };
}

async function readOne<T>(
  root: string,
  place: DefinitionPlace<T>,
  id: string,
): Promise<{ readonly definition: T; readonly source: YamlSource } | Fault[]> {
  const folder = `${place.folder}/${id}`;
  if (!NAME_PATTERN.test(id)) {
    const what = 'a folder here must be named in lower-case letters, digits, dots, dashes and underscores';
    return [{ where: folder, what, next: 'Rename it' }];
  }
  const files = await readdir(join(root, folder));
  if (!files.includes(place.file)) {
    return [{ where: folder, what: `there is no ${place.file}`, next: 'Write it, or remove the folder' }];
  }
  const file = `${folder}/${place.file}`;
  const source = readYaml(await readFile(join(root, file), 'utf8'), file);
  if (source.faults.length > 0) return [...source.faults];
  const parsed = place.schema.safeParse(source.value);
  if (!parsed.success) return zodFaults(parsed.error, source, place.schema);
  const faults = place.check(id, parsed.data, files, source);
  return faults.length > 0 ? faults : { definition: parsed.data, source };
}

/** Names of the folders in `path`, sorted by code unit; none when `path` is missing. */
async function folderNames(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
