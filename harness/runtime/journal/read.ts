// SPDX-License-Identifier: Apache-2.0
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { JournalLine } from '../contracts.ts';

/** Lines of a journal with its older files and its reserve, oldest first; what is no line of a journal is left out. */
export async function* readJournal(path: string): AsyncIterable<JournalLine> {
  const seen = new Set<string>();
  for (const file of [...olderFiles(path), path, `${path}.reserve`]) {
    if (!existsSync(file)) continue;
    for await (const text of createInterface({ input: createReadStream(file, 'utf8') })) {
      const line = parseLine(text);
      // A line may stand in the reserve and in the journal, when the daemon died as it moved it.
      if (line === undefined || seen.has(`${line.life}/${line.seq}`)) continue;
      seen.add(`${line.life}/${line.seq}`);
      yield line;
    }
  }
}

function olderFiles(path: string): string[] {
  const files: string[] = [];
  for (let at = 1; existsSync(`${path}.${at}`); at++) files.unshift(`${path}.${at}`);
  return files;
}

export function parseLine(text: string): JournalLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const line = JSON.parse(text) as Partial<JournalLine>;
    const known = line.kind === 'decision' || line.kind === 'intent' || line.kind === 'event';
    return known &&
      line.v === 1 &&
      typeof line.seq === 'number' &&
      typeof line.life === 'string' &&
      isWhole(line)
      ? (line as JournalLine)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a line has the parts that its kind is told by: a file of another program may have lines that look alike. */
function isWhole(line: Partial<JournalLine>): boolean {
  const has = (...names: string[]) =>
    names.every((name) => isObject((line as Record<string, unknown>)[name]));
  if (line.kind === 'decision') return has('window', 'selection', 'action') && isObject(line.window?.health);
  return typeof line.at === 'string';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
