// SPDX-License-Identifier: Apache-2.0
import type { Interval } from './bootstrap-mean.ts';
import { groupMeans } from './bootstrap-nested.ts';
import { studentInterval } from './student.ts';

/** One block's two values. */
export interface Pair {
  readonly value: number;
  readonly baseline: number;
  /** Where the block ran, when blocks of several hosts or labs are taken together. */
  readonly host?: string | undefined;
}

/** `out-of-range`: the ratio itself is larger or smaller than a number can be. */
export type NoRatio = 'no-pairs' | 'not-positive' | 'not-finite' | 'out-of-range';

/** How a metric compares with its baseline. */
export type PairedRatio =
  | { readonly kind: 'none'; readonly pairs: number; readonly why: NoRatio }
  /** One pair has no spread, so it has no interval. */
  | { readonly kind: 'point'; readonly pairs: 1; readonly ratio: number }
  | {
      readonly kind: 'interval';
      readonly pairs: number;
      /** `host-means-t`: the unit is the host, because its blocks share what is odd about it. */
      readonly method: 'paired-t' | 'host-means-t';
      readonly hosts: number;
      readonly ratio: number;
      readonly low: number;
      readonly high: number;
      /** The 90 % interval: inside a margin, it is two one-sided tests at 5 %. */
      readonly within: Interval;
      /** Two-sided p of the paired t test on logarithms; absent without spread. */
      readonly p?: number;
      /**
       * Every block gave exactly the same ratio: the interval has no width, and says nothing about other seeds'
       * spread.
       */
      readonly zeroWidth: boolean;
    };

export const LEVEL = 0.95;

/**
 * Geometric mean of value / baseline over the blocks, with the 95 % Student interval of the paired differences
 * of logarithms, taken back by exp. Pairing removes what a block's seed does to both; the logarithm makes
 * slower and faster symmetric.
 *
 * Source: the paired t interval (Student 1908) on logarithms; ratios of means as effect size as in Kalibera and
 * Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013. It assumes log ratios near to normal, which few
 * blocks cannot show.
 *
 * `level` is higher than 0.95 where a run looked several times whether to stop.
 *
 * Pairs from several hosts: the mean of the hosts' means, with the interval of these means; each host counts once.
 */
export function pairedRatio(pairs: readonly Pair[], level = LEVEL): PairedRatio {
  const n = pairs.length;
  if (n === 0) return { kind: 'none', pairs: 0, why: 'no-pairs' };
  const logs = logRatios(pairs);
  if (logs === undefined) {
    return {
      kind: 'none',
      pairs: n,
      why: whyNone(pairs.flatMap(({ value, baseline }) => [value, baseline])),
    };
  }
  const groups = byHost(pairs, logs);
  const units = groups.length > 1 ? groupMeans(groups) : logs;
  const ends = studentInterval(units, level);
  const inner = studentInterval(units, 2 * level - 1);
  const ratio = Math.exp(ends?.mean ?? (logs[0] as number));
  if (!(ratio > 0 && Number.isFinite(ratio))) return { kind: 'none', pairs: n, why: 'out-of-range' };
  if (ends === undefined || inner === undefined) return { kind: 'point', pairs: 1, ratio };
  return {
    kind: 'interval',
    pairs: n,
    method: groups.length > 1 ? 'host-means-t' : 'paired-t',
    hosts: groups.length,
    ratio,
    low: Math.exp(ends.low),
    high: Math.exp(ends.high),
    within: { low: Math.exp(inner.low), high: Math.exp(inner.high) },
    ...(ends.p === undefined ? {} : { p: ends.p }),
    zeroWidth: ends.low === ends.high,
  };
}

/** Log ratios of each host, in the order of the hosts' names. */
export function byHost(pairs: readonly Pair[], logs: readonly number[]): number[][] {
  const groups = new Map<string, number[]>();
  pairs.forEach(({ host = '' }, at) => {
    const group = groups.get(host) ?? [];
    groups.set(host, group);
    group.push(logs[at] as number);
  });
  return [...groups.keys()].sort().map((host) => groups.get(host) as number[]);
}

/** ln(value / baseline) of each pair; undefined when a value of any is not positive and finite. */
export function logRatios(pairs: readonly Pair[]): number[] | undefined {
  const logs = pairs.map(({ value, baseline }) => logRatio(value, baseline));
  return logs.every(Number.isFinite) ? logs : undefined;
}

/** Quotients that are as precise as any other number. */
const [SMALL, LARGE] = [1e-300, 1e300];

function logRatio(value: number, baseline: number): number {
  if (!(value > 0 && baseline > 0 && Number.isFinite(value) && Number.isFinite(baseline))) return Number.NaN;
  const quotient = value / baseline;
  // Of equal quotients exactly equal; beyond what a quotient can be, the difference of logarithms.
  return quotient > SMALL && quotient < LARGE ? Math.log(quotient) : Math.log(value) - Math.log(baseline);
}

/** Why such values have no ratio: one that is no number of the scale says so first. */
export function whyNone(values: readonly number[]): 'not-positive' | 'not-finite' {
  return values.every(Number.isFinite) ? 'not-positive' : 'not-finite';
}
