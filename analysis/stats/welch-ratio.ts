// SPDX-License-Identifier: Apache-2.0
import { meanOf, varianceOf } from './moments.ts';
import { LEVEL, type PairedRatio, whyNone } from './paired-ratio.ts';
import { studentQuantile, studentTails } from './student.ts';

/** Like a paired ratio, of values that have no partners. */
export type UnpairedRatio =
  | Extract<PairedRatio, { kind: 'none' }>
  | { readonly kind: 'point'; readonly pairs: number; readonly ratio: number }
  | (Omit<Extract<PairedRatio, { kind: 'interval' }>, 'method'> & { readonly method: 'welch-t' });

/**
 * Geometric mean of `values` over that of `baselines`, two independent samples, with Welch's 95 % interval on logarithms; `pairs` is the
 * size of the smaller. A sample of one has no spread, so there is no interval.
 *
 * Source: Welch, "The generalization of Student's problem when several different population variances are involved", Biometrika 34 (1947)
 * 28-35, with Satterthwaite's degrees of freedom.
 */
export function welchRatio(values: readonly number[], baselines: readonly number[]): UnpairedRatio {
  const pairs = Math.min(values.length, baselines.length);
  if (pairs === 0) return { kind: 'none', pairs, why: 'no-pairs' };
  const logs = [values, baselines].map((sample) =>
    sample.map((value) => (value > 0 ? Math.log(value) : Number.NaN)),
  );
  const [a, b] = logs as [number[], number[]];
  if (![...a, ...b].every(Number.isFinite)) {
    return { kind: 'none', pairs, why: whyNone([...values, ...baselines]) };
  }
  const mean = meanOf(a) - meanOf(b);
  const ratio = Math.exp(mean);
  if (!(ratio > 0 && Number.isFinite(ratio))) return { kind: 'none', pairs, why: 'out-of-range' };
  if (pairs === 1) return { kind: 'point', pairs, ratio };
  const [errorA, errorB] = [varianceOf(a) / a.length, varianceOf(b) / b.length];
  const error = Math.sqrt(errorA + errorB);
  const facts = { kind: 'interval', method: 'welch-t', hosts: 1, pairs, ratio } as const;
  if (error === 0) {
    return { ...facts, low: ratio, high: ratio, within: { low: ratio, high: ratio }, zeroWidth: true };
  }
  const df = (errorA + errorB) ** 2 / (errorA ** 2 / (a.length - 1) + errorB ** 2 / (b.length - 1));
  const ends = (level: number) => {
    const half = studentQuantile(1 - (1 - level) / 2, df) * error;
    return { low: Math.exp(mean - half), high: Math.exp(mean + half) };
  };
  return {
    ...{ ...facts, ...ends(LEVEL), within: ends(2 * LEVEL - 1) },
    ...{ p: studentTails(mean / error, df), zeroWidth: false },
  };
}
