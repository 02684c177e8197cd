// SPDX-License-Identifier: Apache-2.0
import { holm } from './adjust.ts';
import { pooledCorrelation, seriesFacts } from './autocorrelation.ts';
import type { Evidence } from './evidence.ts';
import { judgedVariance, type Variance, variancePrior } from './pooled-variance.ts';
import { detectableEffect } from './power.ts';
import { studentTails } from './student.ts';

/** Chance of any false verdict in a whole family. */
export const ALPHA = 0.05;

/** What the family's tests make of one cell. */
export interface Tested {
  /** p of "the true ratio is within the margin", two-sided, after all corrections. */
  readonly pDiffers: number;
  /** p of "the true ratio is not within the margin" (two one-sided tests), after all corrections. */
  readonly pEquivalent: number;
  /** Standard deviation of a block's log ratio by which the cell was judged; absent where no cell has spread. */
  readonly noise?: number;
  /** Smallest factor, either way, that such a cell is called better or worse for four times in five; absent like `noise`. */
  readonly detectable?: number;
}

export interface Family {
  /** The margin of equivalence, a factor of at least 1. */
  readonly margin: number;
  /** Interim analyses at which the run could have stopped; 1 without. */
  readonly looks?: number;
  /** Variances of null controls, and whatever else shows how noisy such cells are. */
  readonly controls?: readonly Variance[];
  /** Correlation of blocks that follow each other; estimated from the cells when absent. */
  readonly correlation?: number;
  /** Computes `detectable`, which takes longest. */
  readonly power?: boolean;
}

/**
 * Tests all cells of a family. The t test of each is against the margin: the null hypothesis is that the true ratio is somewhere within it,
 * and for equivalence that it is not (Schuirmann 1987). Its variance is the larger one of the cell's own and of that moderated by all cells
 * and null controls (Smyth 2004), times what the autocorrelation of blocks adds. p is adjusted by Holm over all cells, and by Bonferroni
 * over interim analyses. A cell without evidence (undefined) cannot be claimed, and counts in the correction all the same: what failed
 * makes nothing easier. In the order of `cells`.
 *
 * results/reference/coverage.md has how often such families hold a false verdict, for many kinds of noise.
 */
export function judgeFamily(
  cells: readonly (Evidence | undefined)[],
  family: Family,
): (Tested | undefined)[] {
  const { margin, looks = 1, controls = [], power = false } = family;
  const known = cells.filter((cell) => cell !== undefined);
  const prior = variancePrior([...known, ...controls]);
  const correlation = family.correlation ?? familyCorrelation(known);
  const width = Math.log(margin);
  const raw = cells.map((cell) => {
    if (cell === undefined) return { differs: 1, equivalent: 1 };
    // Equal in every block is as equivalent as can be.
    if (cell.mean === 0 && cell.variance === 0) return { differs: 1, equivalent: 0 };
    const variance = judgedVariance(cell, prior);
    if (variance === undefined) return signTest(cell, width);
    const { error, df } = errorOf(cell, variance, correlation);
    const away = Math.abs(cell.mean) - width;
    return {
      differs: away > 0 ? studentTails(away / error, df) : 1,
      equivalent: away < 0 ? studentTails(away / error, df) / 2 : 1,
      noise: Math.sqrt(variance),
      error,
      df,
    };
  });
  const adjust = (p: readonly number[]) => holm(p).map((each) => Math.min(1, looks * each));
  const differs = adjust(raw.map((each) => each.differs));
  const equivalent = adjust(raw.map((each) => each.equivalent));
  const level = ALPHA / (looks * Math.max(1, cells.length));
  return raw.map(({ noise, error, df }, at) => {
    if (cells[at] === undefined) return undefined;
    const p = { pDiffers: differs[at] as number, pEquivalent: equivalent[at] as number };
    if (noise === undefined) return p;
    if (!power) return { ...p, noise };
    return { ...p, noise, detectable: margin * Math.exp(detectableEffect(df, level) * error) };
  });
}

/** Of cells whose blocks follow each other in time. */
export function familyCorrelation(cells: readonly Evidence[]): number {
  return pooledCorrelation(cells.flatMap(({ series }) => series));
}

/** Where no cell has spread, nothing measures a ratio; that so many blocks are all on one side of a bound is a sign test. */
function signTest({ mean, units }: Evidence, width: number) {
  const one = 2 ** -units;
  return { differs: Math.abs(mean) > width ? 2 * one : 1, equivalent: Math.abs(mean) < width ? one : 1 };
}

/** Standard error of a cell's mean, and the degrees of freedom of its variance. */
function errorOf({ units, df, ordered }: Evidence, variance: number, correlation: number) {
  if (!ordered) return { error: Math.sqrt(variance / units), df };
  const { inflation, df: left } = seriesFacts(units, correlation);
  return { error: Math.sqrt((variance * inflation) / units), df: (df * left) / (units - 1) };
}
