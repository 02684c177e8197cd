// SPDX-License-Identifier: Apache-2.0
import quantile from '@stdlib/stats-base-dists-t-quantile';

/** One block's two values. */
export interface Pair {
  readonly value: number;
  readonly baseline: number;
}

/** How a metric compares with its baseline. */
export type PairedRatio =
  | { readonly kind: 'none'; readonly pairs: number; readonly why: 'no-pairs' | 'not-positive' }
  /** One pair has no spread, so it has no interval. */
  | { readonly kind: 'point'; readonly pairs: 1; readonly ratio: number }
  | {
      readonly kind: 'interval';
      readonly pairs: number;
      readonly ratio: number;
      readonly low: number;
      readonly high: number;
      /**
       * Every block gave exactly the same ratio: the interval has no width, and says nothing about other seeds'
       * spread.
       */
      readonly zeroWidth: boolean;
    };

const LEVEL = 0.95;

/**
 * Geometric mean of value / baseline over the blocks, with the 95 % Student interval of the paired differences
 * of logarithms, taken back by exp. Pairing removes what a block's seed does to both; the logarithm makes
 * slower and faster symmetric.
 *
 * Source: the paired t interval (Student 1908) on logarithms; ratios of means as effect size as in Kalibera and
 * Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013. It assumes log ratios near to normal, which few
 * blocks cannot show.
 */
export function pairedRatio(pairs: readonly Pair[]): PairedRatio {
  const n = pairs.length;
  if (n === 0) return { kind: 'none', pairs: 0, why: 'no-pairs' };
  if (pairs.some(({ value, baseline }) => !(value > 0 && baseline > 0))) {
    return { kind: 'none', pairs: n, why: 'not-positive' };
  }
  const logs = pairs.map(({ value, baseline }) => Math.log(value / baseline));
  const first = logs[0] as number;
  if (n === 1) return { kind: 'point', pairs: 1, ratio: Math.exp(first) };
  if (logs.every((log) => log === first)) {
    const ratio = Math.exp(first);
    return { kind: 'interval', pairs: n, ratio, low: ratio, high: ratio, zeroWidth: true };
  }
  const mean = sum(logs) / n;
  const variance = sum(logs.map((log) => (log - mean) ** 2)) / (n - 1);
  const half = quantile(1 - (1 - LEVEL) / 2, n - 1) * Math.sqrt(variance / n);
  return {
    kind: 'interval',
    pairs: n,
    ratio: Math.exp(mean),
    low: Math.exp(mean - half),
    high: Math.exp(mean + half),
    zeroWidth: false,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
