// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { ProbeSet, ProbeTotals, ProbeWindow } from '../core/probe-counters.ts';
import type { CompletedTrial } from '../core/trial.ts';
import { RUN_FILES, type StoredRun } from './run-folder.ts';

/** What the sets counted from one reading to the next. */
export type WindowTotals = { readonly [set in ProbeSet]?: ProbeTotals };

/**
 * The windows of a trial in order, of which every set has a line in `consoles/<trial>/probes.jsonl`; undefined when the run is kept without them.
 * @throws PmvxError when the file is no such thing.
 */
export async function readProbeWindows(
  { folder }: Pick<StoredRun, 'folder'>,
  { trial, host }: Pick<CompletedTrial, 'trial' | 'host'>,
): Promise<readonly WindowTotals[] | undefined> {
  const name = host.attempt > 1 ? `${trial}-attempt${host.attempt}` : trial;
  const path = join(folder, RUN_FILES.consoles, name, 'probes.jsonl');
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const bySet = Map.groupBy(linesOf(content, path), ({ set }) => set);
  const count = Math.min(...[...bySet.values()].map((windows) => windows.length));
  return Array.from({ length: bySet.size === 0 ? 0 : count }, (_, at) =>
    Object.fromEntries([...bySet].map(([set, windows]) => [set, totalsOf(windows[at] as ProbeWindow)])),
  );
}

function linesOf(content: string, path: string): ProbeWindow[] {
  return content.split('\n').flatMap((line, at) => {
    if (line === '') return [];
    try {
      const window = JSON.parse(line) as ProbeWindow;
      if (typeof window.set === 'string' && typeof window.counters === 'object') return [window];
    } catch {
      // Told below.
    }
    throw new PmvxError(ExitCode.usage, {
      where: `${path}:${at + 1}`,
      what: 'not a window of probes',
      next: 'Run the spec again; the whole run is in its record all the same',
    });
  });
}

/** What was missed is known of a whole trial only. */
function totalsOf({ fromNs, toNs, sampledNs, counters }: ProbeWindow): ProbeTotals {
  return {
    ns: toNs - fromNs,
    missed: 0,
    ...(sampledNs === undefined ? {} : { sampledNs }),
    counters,
  };
}
