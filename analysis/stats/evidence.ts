// SPDX-License-Identifier: Apache-2.0
import type { EngineName } from '../../harness/core/trial.ts';
import { groupMeans } from './bootstrap-nested.ts';
import { meanOf, varianceOf } from './moments.ts';
import { byHost, LEVEL, logRatios, type Pair, type PairedRatio } from './paired-ratio.ts';
import { studentQuantile } from './student.ts';

/** What the test of one cell needs to know of it; all on natural logarithms of ratios. */
export interface Evidence {
  readonly mean: number;
  /** Of one unit: a block, or a host's mean where blocks nest in hosts. 0 without spread. */
  readonly variance: number;
  readonly units: number;
  readonly df: number;
  /** Values in the order of their blocks, of each host alone; none where blocks cannot know of each other. */
  readonly series: readonly (readonly number[])[];
  /** Whether units are blocks that follow each other in time, so that what is left of one may be in the next. */
  readonly ordered: boolean;
}

/**
 * Whether what a host does can reach from one block into the next. On `exact` a trial's figures follow from its seed alone, and seeds are
 * drawn independently.
 */
export function canDrift(engine: EngineName): boolean {
  return engine !== 'exact';
}

/** Evidence of pairs in the order of their blocks; undefined for fewer than two units, or without a ratio. */
export function pairedEvidence(pairs: readonly Pair[], drifts: boolean): Evidence | undefined {
  const logs = logRatios(pairs);
  if (logs === undefined) return undefined;
  const groups = byHost(pairs, logs);
  const units = groups.length > 1 ? groupMeans(groups) : logs;
  if (units.length < 2) return undefined;
  const mean = meanOf(units);
  const variance = spreadOf(units, mean);
  return {
    mean,
    variance,
    units: units.length,
    df: units.length - 1,
    series: drifts ? groups : [],
    ordered: drifts && groups.length === 1,
  };
}

/** Evidence of two samples without partners, each in the order of its blocks (Welch 1947). */
export function unpairedEvidence(
  values: readonly number[],
  baselines: readonly number[],
  drifts: boolean,
): Evidence | undefined {
  const [a, b] = [values, baselines].map((sample) => sample.map((value) => Math.log(value))) as [
    number[],
    number[],
  ];
  if (a.length < 2 || b.length < 2 || ![...a, ...b].every(Number.isFinite)) return undefined;
  const errors = [a, b].map((logs) => spreadOf(logs, meanOf(logs)) / logs.length) as [number, number];
  const error = errors[0] + errors[1];
  const units = Math.min(a.length, b.length);
  const df =
    error === 0
      ? units - 1
      : error ** 2 / (errors[0] ** 2 / (a.length - 1) + errors[1] ** 2 / (b.length - 1));
  return {
    mean: meanOf(a) - meanOf(b),
    variance: error * units,
    units,
    df,
    series: drifts ? [a, b] : [],
    ordered: drifts,
  };
}

/** Evidence of a ratio of which the interval alone is left, at `level`; undefined without one. */
export function intervalEvidence(ratio: PairedRatio, level = LEVEL): Evidence | undefined {
  if (ratio.kind !== 'interval') return undefined;
  const units = ratio.hosts > 1 ? ratio.hosts : ratio.pairs;
  const df = units - 1;
  const error = Math.log(ratio.high / ratio.low) / 2 / studentQuantile(1 - (1 - level) / 2, df);
  const variance = ratio.zeroWidth ? 0 : error * error * units;
  return { mean: Math.log(ratio.ratio), variance, units, df, series: [], ordered: false };
}

/** Variance with n - 1; spread that is rounding alone is none. */
function spreadOf(values: readonly number[], mean: number): number {
  const variance = varianceOf(values);
  return Math.sqrt(variance) > 1e-13 * Math.max(1, Math.abs(mean)) ? variance : 0;
}
