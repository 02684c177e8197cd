// SPDX-License-Identifier: Apache-2.0
import { logGamma } from './gamma.ts';
import { legendreRule } from './legendre.ts';
import { normalCdf } from './normal.ts';
import { studentQuantile } from './student.ts';

export const POWER = 0.8;

/** Chance that the two-sided t test at `alpha` with `n` values rejects, when the true mean is `effect` standard errors from 0. */
export function powerOfT(effect: number, n: number, alpha = 0.05): number {
  return powerCurve(n - 1, alpha)(effect);
}

/** Beyond so many standard deviations nothing of the normal distribution is left. */
const FAR = 9;
/** Nodes of a piece, and pieces of each part. */
const RULE = legendreRule(24);
const PIECES = 6;

/**
 * The same for any effect, with `df` degrees of freedom.
 *
 * Source: the noncentral t distribution (Cohen, "Statistical Power Analysis", 1988), as P(|Z + effect| > c S) with S^2 chi-squared with df
 * degrees of freedom over df, integrated over ln S by Gauss and Legendre's rule. The chance given S falls from 1 to 0 within a few 1 / c of
 * effect / c, so the parts meet there: a grid over S alone is too coarse for a large c.
 */
function powerCurve(df: number, alpha: number): (effect: number) => number {
  const critical = studentQuantile(1 - alpha / 2, df);
  // ln of the density of ln S, whose square is chi-squared(df) / df.
  const front = Math.LN2 + (df / 2) * Math.log(df / 2) - logGamma(df / 2);
  const density = (u: number) => Math.exp(front + df * u - (df / 2) * Math.exp(2 * u));
  // Outside, less than e^-40 of S is left: its density falls like S^df below, and like exp(-df (S^2 - 1) / 2) above.
  const below = -40 / df - 1;
  const above = Math.log(1 + Math.sqrt(80 / df));
  return (effect) => {
    const size = Math.abs(effect);
    const turns = [(size - FAR) / critical, size / critical, (size + FAR) / critical, 1 / critical]
      .filter((s) => s > 0)
      .map(Math.log);
    const ends = [below, -1, 0, ...turns, above]
      .filter((u) => u >= below && u <= above)
      .sort((a, b) => a - b);
    let sum = 0;
    for (let part = 1; part < ends.length; part++) {
      const from = ends[part - 1] as number;
      const width = ((ends[part] as number) - from) / PIECES;
      for (let piece = 0; piece < PIECES && width > 0; piece++) {
        for (const { node, weight } of RULE) {
          const u = from + width * (piece + (node + 1) / 2);
          const bound = critical * Math.exp(u);
          sum += (weight * width * density(u) * (normalCdf(size - bound) + normalCdf(-size - bound))) / 2;
        }
      }
    }
    return sum;
  };
}

const effects = new Map<string, number>();

/** How many standard errors from 0 the true mean must be for the t test with `df` degrees of freedom at `alpha` to see it with a chance of 80 %. */
export function detectableEffect(df: number, alpha = 0.05): number {
  const key = `${df} ${alpha}`;
  const known = effects.get(key);
  if (known !== undefined) return known;
  const power = powerCurve(df, alpha);
  const lacks = (effect: number) => power(effect) - POWER;
  let low = 0;
  let high = 4 * studentQuantile(1 - alpha / 2, df);
  while (lacks(high) < 0) high *= 2;
  let [atLow, atHigh] = [lacks(low), lacks(high)];
  let lastBelow = false;
  // The Illinois form of regula falsi: an end that stays counts half the next time.
  for (let round = 0; round < 60 && high - low > 1e-12 * high; round++) {
    const between = (low * atHigh - high * atLow) / (atHigh - atLow);
    const value = lacks(between);
    if (Math.abs(value) < 1e-14) {
      high = between;
      break;
    }
    if (value < 0) {
      [low, atLow, atHigh] = [between, value, round > 0 && lastBelow ? atHigh / 2 : atHigh];
    } else {
      [high, atHigh, atLow] = [between, value, round > 0 && !lastBelow ? atLow / 2 : atLow];
    }
    lastBelow = value < 0;
  }
  effects.set(key, high);
  return high;
}
