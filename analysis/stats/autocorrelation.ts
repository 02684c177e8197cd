// SPDX-License-Identifier: Apache-2.0
import { meanOf } from './moments.ts';

/** The largest that is allowed for: with more, a run of few blocks cannot tell a drift from an effect. */
export const MOST_CORRELATED = 0.8;
/** Series that share a baseline are not independent of each other; each counts as half. */
const SHARED = 2;

/**
 * The correlation of values one block apart (AR(1)) that all series together leave possible: their mean lag-one coefficient and one
 * standard error, freed of the bias that a series' own mean brings, within 0 and `MOST_CORRELATED`. Series are in the order of their
 * blocks; those of fewer than three values or without spread say nothing. Without any, 0.
 *
 * Source of the bias: Marriott and Pope, "Bias in the estimation of autocorrelations", Biometrika 41 (1954) 390-402; here the expectation
 * is computed for each length instead of expanded.
 */
export function pooledCorrelation(series: readonly (readonly number[])[]): number {
  const known = series.flatMap((values) => {
    const coefficient = lagOne(values);
    return coefficient === undefined ? [] : [{ n: values.length, coefficient }];
  });
  if (known.length === 0) return 0;
  const error = Math.sqrt(SHARED * known.reduce((sum, { n }) => sum + 1 / n, 0)) / known.length;
  const upper = meanOf(known.map(({ coefficient }) => coefficient)) + error;
  const lengths = new Map<number, number>();
  for (const { n } of known) lengths.set(n, (lengths.get(n) ?? 0) + 1);
  const expected = (rho: number) =>
    [...lengths].reduce((sum, [n, count]) => sum + count * seriesFacts(n, rho).lagOne, 0) / known.length;
  if (upper <= expected(0)) return 0;
  let [low, high] = [0, MOST_CORRELATED];
  if (upper >= expected(high)) return high;
  for (let round = 0; round < 45; round++) {
    const middle = (low + high) / 2;
    if (expected(middle) < upper) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Sum of products of neighbours' deviations from the mean over that of squares. */
function lagOne(values: readonly number[]): number | undefined {
  if (values.length < 3) return undefined;
  const mean = meanOf(values);
  let [products, squares, before] = [0, 0, 0];
  values.forEach((value, at) => {
    const off = value - mean;
    if (at > 0) products += before * off;
    squares += off * off;
    before = off;
  });
  return squares > 0 ? products / squares : undefined;
}

/** What AR(1) with correlation `rho` makes of the mean and variance of `n` values. */
export interface SeriesFacts {
  /** Expected lag-one coefficient (ratio of the expectations). */
  readonly lagOne: number;
  /** Variance of the mean over what the sample variance over n says, on average. */
  readonly inflation: number;
  /** Degrees of freedom of the sample variance (Satterthwaite), at most n - 1. */
  readonly df: number;
}

const facts = new Map<string, SeriesFacts>();

/** Closed forms of quadratic forms in the covariance matrix S of AR(1) and the centring matrix; for rho = 0 inflation 1 and n - 1. */
export function seriesFacts(n: number, rho: number): SeriesFacts {
  const key = `${n} ${rho}`;
  const known = facts.get(key);
  if (known !== undefined) return known;
  // Sums of S's rows, of all of S, and of its squares.
  const rows = Array.from(
    { length: n },
    (_, at) => (1 + rho - rho ** (at + 1) - rho ** (n - at)) / (1 - rho),
  );
  const all = rows.reduce((sum, row) => sum + row, 0);
  const rowSquares = rows.reduce((sum, row) => sum + row * row, 0);
  let squares = n;
  for (let lag = 1; lag < n; lag++) squares += 2 * (n - lag) * rho ** (2 * lag);
  const centred = n - all / n;
  const ends = (rows[0] as number) + (rows[n - 1] as number);
  const neighbours = (n - 1) * rho - (2 * all - ends) / n + ((n - 1) * all) / (n * n);
  const spread = squares - (2 * rowSquares) / n + (all * all) / (n * n);
  const own = {
    lagOne: neighbours / centred,
    inflation: ((all / n) * (n - 1)) / centred,
    df: Math.min(n - 1, (centred * centred) / spread),
  };
  if (facts.size > 10_000) facts.clear();
  facts.set(key, own);
  return own;
}
