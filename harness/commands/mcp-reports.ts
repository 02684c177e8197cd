// SPDX-License-Identifier: Apache-2.0
import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Report, Reports } from '../runtime/mcp/parts.ts';
import type { CommandContext } from './context.ts';
import { runsFolder } from './run-place.ts';

/** What of a run can be read, and how. `report.html` is made when it is asked for and not there. */
const FILES: Readonly<Record<string, string>> = {
  'report.html': 'text/html',
  'table.md': 'text/markdown',
  'spec.json': 'application/json',
  'trials.csv': 'text/csv',
};
const RUN_URI = /^pmvx:\/\/run\/([\w.-]+)\/([\w.-]+)$/;
const PAGE_URI = /^pmvx:\/\/reference\/([\w-]+\.md)$/;
const JOURNAL_URI = 'pmvx://journal';
/** Lines of the journal that are given, and the longest text of any resource. */
const JOURNAL_LINES = 200;
const LONGEST = 4 * 2 ** 20;

/** Runs of this project, those that ship with it, what was found, and the daemon's journal. */
export function mcpReports(context: CommandContext, journal: string): Reports {
  const { root } = context;
  const reference = join(root, 'results', 'reference');
  const folders = [runsFolder(root), reference];
  const folderOf = (run: string) =>
    folders
      .map((each) => join(each, run))
      .find((each) => run !== '..' && existsSync(join(each, 'spec.json')));
  return {
    async list() {
      const runs = (await Promise.all(folders.map(runsIn))).flat();
      return [
        ...(existsSync(journal)
          ? [
              {
                uri: JOURNAL_URI,
                name: 'journal',
                title: "The daemon's journal, its last lines",
                mimeType: 'application/jsonl',
              },
            ]
          : []),
        ...(await pagesIn(reference)),
        ...runs.map(({ id, file, title }) => ({
          uri: `pmvx://run/${id}/${file}`,
          name: `${id}/${file}`,
          title,
          mimeType: FILES[file] as string,
        })),
      ];
    },
    async read(uri) {
      if (uri === JOURNAL_URI)
        return existsSync(journal)
          ? { mimeType: 'application/jsonl', text: await lastLines(journal) }
          : undefined;
      const [, page] = PAGE_URI.exec(uri) ?? [];
      if (page !== undefined) return readText(join(reference, page), 'text/markdown');
      const [, run, file] = RUN_URI.exec(uri) ?? [];
      const mimeType = file !== undefined && Object.hasOwn(FILES, file) ? FILES[file] : undefined;
      const folder = run === undefined ? undefined : folderOf(run);
      if (folder === undefined || file === undefined || mimeType === undefined) return undefined;
      const there = await readText(join(folder, file), mimeType);
      return (
        there ?? (file === 'report.html' ? { mimeType, text: await freshReport(folder, context) } : undefined)
      );
    },
  };
}

/** A page for each run, and its table where it has one. */
async function runsIn(folder: string): Promise<{ id: string; file: string; title: string }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const ids = entries
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'trials.jsonl')))
    .map(({ name }) => name);
  return ids
    .sort()
    .flatMap((id) => [
      { id, file: 'report.html', title: `Run ${id}: findings, charts, tables and provenance as one page` },
      ...(existsSync(join(folder, id, 'table.md'))
        ? [{ id, file: 'table.md', title: `Run ${id}: its table` }]
        : []),
    ]);
}

async function pagesIn(folder: string): Promise<Report[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^[\w-]+\.md$/.test(name))
    .sort()
    .map((name) => ({
      uri: `pmvx://reference/${name}`,
      name,
      title: `What was measured: ${name.replace(/\.md$/, '')}`,
      mimeType: 'text/markdown',
    }));
}

async function readText(path: string, mimeType: string) {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined || !facts.isFile() || facts.size > LONGEST) return undefined;
  return { mimeType, text: await readFile(path, 'utf8') };
}

/** As `pmvx report` makes it, into a folder that is gone afterwards: reading changes nothing. */
async function freshReport(folder: string, context: CommandContext): Promise<string> {
  const { reportCommand } = await import('./report.ts');
  const out = await mkdtemp(join(tmpdir(), 'pmvx-report-'));
  try {
    await reportCommand({ runs: [folder], out }, context);
    return await readFile(join(out, 'report.html'), 'utf8');
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function lastLines(path: string): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
    lines.push(line);
    if (lines.length > JOURNAL_LINES) lines.shift();
  }
  return lines.map((line) => `${line}\n`).join('');
}
