// SPDX-License-Identifier: Apache-2.0
import { constants, open } from 'node:fs/promises';
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, type Fault, PmvxError } from '../core/errors.ts';
import type { Spec } from '../core/spec.ts';
import type { EngineName } from '../core/trial.ts';
import { MAX_YAML_CHARACTERS } from '../core/yaml-source.ts';
import { parseSpec } from './parse-spec.ts';

/** A spec file above this (1 MiB) is refused unread. */
const MAX_SPEC_BYTES = MAX_YAML_CHARACTERS;

/**
 * Reads and validates a spec file; `path` is shown in messages as given, and `engine` replaces the spec's.
 * @throws PmvxError (usage) when the file cannot be read, is too large, or has faults.
 */
export async function readSpec(path: string, catalog: Catalog, engine?: EngineName): Promise<Spec> {
  const bytes = await readBounded(path);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refused({ where: path, what: 'not UTF-8 text', next: 'Save the spec as UTF-8.' }, cause);
  }
  return parseSpec(text, path, catalog, engine);
}

async function readBounded(path: string): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile()) {
      const what = status.isDirectory() ? 'is a folder, not a spec' : 'is not a regular file';
      throw refused({
        where: path,
        what,
        next: 'Name a YAML file, such as harness/experiments/quickstart.yaml.',
      });
    }
    if (status.size > MAX_SPEC_BYTES) {
      const what = `the file has ${status.size} bytes (${(status.size / MAX_SPEC_BYTES).toFixed(1)} MiB)`;
      throw refused({ where: path, what, next: 'The limit for a spec is 1 MiB; is this the right file?' });
    }
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof PmvxError) throw cause;
    throw refused(unreadable(path, cause), cause);
  }
}

function unreadable(path: string, cause: unknown): Fault {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOENT') {
    return { where: path, what: 'no such file', next: 'Specs that ship are in harness/experiments.' };
  }
  if (code === 'EACCES') {
    return { where: path, what: 'no permission to read it', next: 'Check owner and mode of the file.' };
  }
  const words = cause instanceof Error ? cause.message : String(cause);
  return { where: path, what: `cannot be read: ${words}`, next: 'Check the path.' };
}

function refused(fault: Fault, cause?: unknown): PmvxError {
  return new PmvxError(ExitCode.usage, fault, cause === undefined ? {} : { cause });
}
