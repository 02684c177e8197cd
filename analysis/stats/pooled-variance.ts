// SPDX-License-Identifier: Apache-2.0
import { meanOf, varianceOf } from './moments.ts';
import { digamma, trigamma, trigammaInverse } from './trigamma.ts';

/** A variance of so many degrees of freedom. */
export interface Variance {
  readonly variance: number;
  readonly df: number;
}

/** What many cells say together about the variance of one. */
export interface VariancePrior {
  /** Variance around which those of cells lie. */
  readonly variance: number;
  /** How alike they are: so many degrees of freedom is `variance` worth beside a cell's own; infinite where nothing but chance tells them apart. */
  readonly df: number;
  /** Geometric mean of the variances. */
  readonly typical: number;
}

/**
 * Fits a scaled F distribution to the variances of cells; those without spread say nothing and are left out. Undefined for fewer than two.
 *
 * Source: Smyth, "Linear models and empirical Bayes methods for assessing differential expression in microarray experiments", Statistical
 * Applications in Genetics and Molecular Biology 3 (2004), section 6.2.
 */
export function variancePrior(cells: readonly Variance[]): VariancePrior | undefined {
  const known = cells.filter(({ variance, df }) => variance > 0 && df > 0);
  if (known.length < 2) return undefined;
  const logs = known.map(({ variance }) => Math.log(variance));
  const typical = Math.exp(meanOf(logs));
  const centred = known.map(({ df }, at) => (logs[at] as number) - digamma(df / 2) + Math.log(df / 2));
  const mean = meanOf(centred);
  const excess = varianceOf(centred) - meanOf(known.map(({ df }) => trigamma(df / 2)));
  if (!(excess > 0)) return { variance: Math.exp(mean), df: Number.POSITIVE_INFINITY, typical };
  const half = trigammaInverse(excess);
  return { variance: Math.exp(mean + digamma(half) - Math.log(half)), df: 2 * half, typical };
}

/**
 * The variance by which a cell is judged: the larger one of its own and of that moderated by all cells (Smyth 2004). So a cell whose few
 * blocks happen to agree is judged by what cells like it show, and one that is noisier than they are by its own. A cell without any spread
 * is judged by the typical variance. Undefined where no cell has spread.
 */
export function judgedVariance(
  { variance, df }: Variance,
  prior: VariancePrior | undefined,
): number | undefined {
  if (variance === 0) return prior?.typical;
  if (prior === undefined) return variance;
  const moderated =
    prior.df === Number.POSITIVE_INFINITY
      ? prior.variance
      : (prior.df * prior.variance + df * variance) / (prior.df + df);
  return Math.max(variance, moderated);
}
