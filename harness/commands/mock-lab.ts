// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../core/catalog.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { extractMetrics } from '../core/extract.ts';
import type { PlannedTrial } from '../core/trial.ts';
import type { Workload } from '../core/workload.ts';
import type { Engine } from '../lab/engine.ts';
import { mockEngine } from '../lab/mock.ts';
import { inventOutput } from '../lab/mock-output.ts';

/**
 * The mock engine for whole specs: every policy attaches and every workload prints a sample of its real output with
 * invented numbers. `trialMs` is how long a trial takes on the host.
 */
export async function openMockLab(
  root: string,
  trials: readonly PlannedTrial[],
  catalog: Catalog,
  trialMs: number,
): Promise<Engine> {
  const workloadOf = new Map(trials.map(({ trial, workload }) => [trial, workload]));
  const samples = new Map<string, string>();
  for (const id of new Set(workloadOf.values())) {
    samples.set(id, await goodSample(root, catalog.workloads.get(id) as Workload));
  }
  return mockEngine((orders) => {
    const id = workloadOf.get(orders.trial) as string;
    const { definition } = catalog.workloads.get(id) as Workload;
    const output = inventOutput(samples.get(id) as string, definition, orders);
    return { kind: 'run', output, ...(trialMs > 0 ? { hostMs: trialMs } : {}) };
  });
}

/** The first sample (`workloads/<id>/samples/*.txt`) from which every metric can be read. */
async function goodSample(root: string, workload: Workload): Promise<string> {
  const folder = join(root, 'workloads', workload.id, 'samples');
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.endsWith('.txt') && !each.startsWith('bad-')).sort()) {
    const text = await readFile(join(folder, name), 'utf8');
    if (extractMetrics(workload.definition, text).ok) return text;
  }
  throw new PmvxError(ExitCode.usage, {
    where: folder,
    what: `no sample output of ${workload.id} has all its metrics, so the mock engine cannot imitate it`,
    next: 'Put output of a real run there as a .txt file.',
  });
}
