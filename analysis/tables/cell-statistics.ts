// SPDX-License-Identifier: Apache-2.0
import { bootstrapMean, type Interval } from '../stats/bootstrap-mean.ts';
import { bootstrapNested, groupMeans } from '../stats/bootstrap-nested.ts';
import { cliffsDelta } from '../stats/cliffs-delta.ts';
import { outlierPlaces } from '../stats/outliers.ts';
import { byHost, logRatios, type Pair } from '../stats/paired-ratio.ts';
import { randomWords } from '../stats/random.ts';
import { signFlipTest } from '../stats/sign-flip.ts';

/** A pair and the block that it is of. */
export interface BlockPair extends Pair {
  readonly block: number;
}

/** What stands beside the ratio of a cell and its interval. All of it is of the same pairs. */
export interface CellStatistics {
  /** Of blocks, or hierarchical: hosts, then blocks within each. */
  readonly percentile: Interval;
  /** Absent where blocks nest in hosts. */
  readonly bca?: Interval;
  /** Two-sided, sign flips of blocks, or of hosts where blocks nest in them. */
  readonly p: number;
  readonly cliffsDelta: number;
  /** Blocks far from the others, in order; they are part of every figure. */
  readonly outliers: readonly { readonly block: number; readonly ratio: number }[];
}

/** One base for all tables: what is resampled follows from the cell's name alone. */
const SEED = 20261125;

/** Statistics of a cell called `name`, or undefined where a ratio has no interval: fewer than two pairs, or values that are not positive. */
export function cellStatistics(
  pairs: readonly BlockPair[],
  name: readonly string[],
  level: number,
): CellStatistics | undefined {
  const logs = logRatios(pairs);
  if (logs === undefined || logs.length < 2) return undefined;
  const words = randomWords(SEED, ...name);
  const groups = byHost(pairs, logs);
  const units = groups.length > 1 ? groupMeans(groups) : logs;
  const nested = bootstrapNested(groups, level, words);
  const single = nested === undefined ? bootstrapMean(logs, level, words) : undefined;
  const percentile = nested ?? single?.percentile;
  if (percentile === undefined) return undefined;
  return {
    percentile: ratioOf(percentile),
    ...(single === undefined ? {} : { bca: ratioOf(single.bca) }),
    p: signFlipTest(units, words) as number,
    cliffsDelta: cliffsDelta(
      pairs.map(({ value }) => value),
      pairs.map(({ baseline }) => baseline),
    ) as number,
    outliers: outlierPlaces(logs).map((at) => ({
      block: pairs[at]?.block as number,
      ratio: Math.exp(logs[at] as number),
    })),
  };
}

function ratioOf({ low, high }: Interval): Interval {
  return { low: Math.exp(low), high: Math.exp(high) };
}
