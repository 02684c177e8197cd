// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatCsv } from '../core/csv.ts';
import { ExitCode } from '../core/errors.ts';
import { requireImage } from '../lab/image.ts';
import { cacheFolder } from '../lab/image-files.ts';
import { faultsOf, type LongRun, longRun, quartersOf, thinned } from '../selftest/long/long-run.ts';
import { writeAtomic } from '../store/atomic-write.ts';
import type { CommandContext } from './context.ts';

export interface LongArgs {
  readonly long: number;
  /** Forks on `exact`; a tenth when absent. */
  readonly exact?: number;
  readonly jobs?: number;
  readonly out?: string;
}

const IMAGE = 'quick';

/** `pmvx selftest --long N`: one run of many trials on `mock` and one of many forks on `exact`, whose controllers are looked at meanwhile. */
export async function longCommand(args: LongArgs, context: CommandContext): Promise<ExitCode> {
  const { long, exact = Math.floor(long / 10), jobs = 2 } = args;
  const image = exact === 0 ? undefined : await requireImage(context.root, cacheFolder(context.env), IMAGE);
  const runs: LongRun[] = [];
  for (const [engine, trials] of [['mock', long] as const, ['exact', exact] as const]) {
    if (trials === 0) continue;
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'pmvx-long-')));
    context.write(`${engine}: ${trials} trials, ${jobs} at once`);
    const machines = engine === 'exact' && image !== undefined ? { image: image.folder } : {};
    const run = await longRun({ engine, trials, jobs, folder, ...machines, signal: context.signal });
    runs.push(run);
    for (const line of wordsOf(run)) context.write(`  ${line}`);
  }
  if (args.out !== undefined)
    await writeTables(args.out, runs, `pmvx selftest --long ${long} --exact ${exact} --jobs ${jobs}`);
  return runs.every((run) => faultsOf(run).length === 0) ? ExitCode.ok : ExitCode.failure;
}

function wordsOf(run: LongRun): string[] {
  const span = (of: 'mib' | 'descriptors' | 'processes') =>
    quartersOf(run, of)
      .map((value) => value.toFixed(0))
      .join(' -> ');
  const most = Math.max(...run.samples.map(({ mib }) => mib));
  return [
    `${run.completed} of ${run.trials} completed in ${run.seconds.toFixed(0)} s`,
    `medians of the second and the last quarter: memory ${span('mib')} MiB (most ${most.toFixed(0)}), descriptors ${span('descriptors')}, processes ${span('processes')}`,
    `left behind: ${run.orphans} processes, ${run.left.length} temporary files`,
    ...faultsOf(run).map((fault) => `not as it should be: ${fault}`),
  ];
}

async function writeTables(out: string, runs: readonly LongRun[], command: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const rows = runs.flatMap(({ engine, samples }) =>
    thinned(samples).map(({ seconds, recorded, mib, descriptors, processes }) => [
      engine,
      seconds.toFixed(1),
      recorded,
      mib.toFixed(1),
      descriptors,
      processes,
    ]),
  );
  const header = ['engine', 'seconds', 'recorded', 'controller_mib', 'descriptors', 'processes'];
  await writeAtomic(join(out, 'long-run.csv'), formatCsv(header, rows));
  const text = runs.map(
    (run) =>
      `## ${run.engine}\n\n${wordsOf(run)
        .map((line) => `- ${line}`)
        .join('\n')}\n`,
  );
  await writeAtomic(
    join(out, 'long-run.md'),
    `\`${command}\`, ${new Date().toISOString().slice(0, 10)}\n\n${text.join('\n')}`,
  );
}
