// SPDX-License-Identifier: Apache-2.0

import { FEATURES, FEATURES_VERSION } from '../../analysis/features/definition.ts';
import { fitScales, LEAST_SPREADS, SCALES, type Scale } from '../../analysis/features/scales.ts';
import { type Separation, separationOf } from '../../analysis/features/separation.ts';
import { featureReadings } from '../../analysis/features/workload-vector.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { stableJson, writeAtomic } from '../store/atomic-write.ts';
import type { StoredRun } from '../store/run-folder.ts';
import type { CommandContext } from './context.ts';
import { openStoredRun } from './learnt-run.ts';
import { labelledVectors, type ProbedSample, probedSamples } from './probed-samples.ts';
import { alignedTable } from './table.ts';

export interface VectorsArgs {
  readonly runs: readonly string[];
  readonly json?: boolean;
  /** File that new scales are written into. */
  readonly fit?: string;
}

/** `pmvx vectors RUN...`: how well the vectors of EEVDF's trials tell workloads apart, over all their configurations. */
export async function vectorsCommand(args: VectorsArgs, context: CommandContext): Promise<ExitCode> {
  const runs = await Promise.all(args.runs.map((name) => openStoredRun(name, context)));
  const samples = runs.flatMap(probedSamples);
  if (samples.length === 0) {
    throw new PmvxError(ExitCode.usage, {
      what: 'no trial of EEVDF in these runs has probes',
      next: 'Run a spec with probes: [cpu, mem, io, net], such as harness/experiments/vectors.yaml',
    });
  }
  const scales = args.fit === undefined ? SCALES : await newScales(samples, runs, args.fit, context);
  const vectors = labelledVectors(
    samples,
    ({ workload, configuration }, why) =>
      context.warn(`pmvx: ${workload} ${configuration}: no vector: ${why}`),
    scales,
  );
  const found = separationOf(vectors);
  if (args.json === true) {
    const nearest = found.nearest.map((row) => ({ ...row, counts: Object.fromEntries(row.counts) }));
    context.write(JSON.stringify({ v: 1, features: FEATURES_VERSION, ...found, nearest }, null, 2));
  } else for (const line of formatSeparation(found)) context.write(line);
  return ExitCode.ok;
}

/** Scales from one sample of each configuration, so that a workload with many seeds does not count more. */
async function newScales(
  samples: readonly ProbedSample[],
  runs: readonly StoredRun[],
  file: string,
  context: CommandContext,
): Promise<readonly Scale[]> {
  const each = new Map(samples.map((sample) => [`${sample.workload} ${sample.configuration}`, sample]));
  const readings = [...each.values()].map(({ counted }) =>
    featureReadings(counted).map(({ value }) => value),
  );
  const scales = fitScales(readings, LEAST_SPREADS);
  const named = FEATURES.map(({ name }, at) => [name, scales[at]] as const);
  const from = { runs: runs.map(({ provenance }) => provenance.run), configurations: readings.length };
  await writeAtomic(file, stableJson({ version: FEATURES_VERSION, from, scales: Object.fromEntries(named) }));
  context.warn(`pmvx: wrote ${file}`);
  return scales;
}

/** Markdown, so that it can be committed as it is. */
export function formatSeparation(found: Separation): string[] {
  const cosines = (name: 'within' | 'between') => {
    const { pairs, low, median, high } = found[name] ?? {
      pairs: 0,
      low: Number.NaN,
      median: Number.NaN,
      high: Number.NaN,
    };
    const shown = (value: number) => (Number.isNaN(value) ? '' : value.toFixed(2));
    return { pairs: String(pairs), '5 %': shown(low), median: shown(median), '95 %': shown(high) };
  };
  const rows = found.nearest.map(({ workload, configurations, counts }) => ({
    workload,
    configurations: String(configurations),
    'nearest vector of another configuration is of': [...counts]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .map(([other, count]) => `${other === workload ? 'itself' : other} ${count}`)
      .join(', '),
  }));
  return [
    `${found.vectors} vectors of ${found.workloads.length} workloads.`,
    '',
    ...alignedTable([
      { cosine: 'within a workload, other configurations', ...cosines('within') },
      { cosine: 'between workloads', ...cosines('between') },
    ]),
    '',
    `Silhouette ${found.silhouette?.toFixed(2) ?? '-'}; nearest neighbour of another configuration is the same workload for ${found.accuracy === undefined ? '-' : `${(100 * found.accuracy).toFixed(0)} %`} of the vectors that have one.`,
    '',
    ...alignedTable(rows),
  ];
}
