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
  readonly faults: readonly Fault[];
}

/** Reads every definition of a place, sorted by id, and collects the faults of all. */
export async function readDefinitions<T>(root: string, place: DefinitionPlace<T>): Promise<Found<T>> {
  const definitions = new Map<string, { id: string; definition: T }>();
  const faults: Fault[] = [];
  for (const id of await folderNames(join(root, place.folder))) {
    const outcome = await readOne(root, place, id);
    if (Array.isArray(outcome)) faults.push(...outcome);
    else definitions.set(id, { id, definition: outcome.definition });
  }
  return { definitions, faults };
}

async function readOne<T>(
  root: string,
  place: DefinitionPlace<T>,
  id: string,
): Promise<{ readonly definition: T } | Fault[]> {
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
  return faults.length > 0 ? faults : { definition: parsed.data };
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
