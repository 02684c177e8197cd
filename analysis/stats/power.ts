// SPDX-License-Identifier: Apache-2.0
import { logGamma } from './gamma.ts';
import { normalCdf } from './normal.ts';
import { studentQuantile } from './student.ts';

export const POWER = 0.8;

/** Chance that the two-sided t test at `alpha` with `n` values rejects, when the true mean is `effect` standard errors from 0. */
export function powerOfT(effect: number, n: number, alpha = 0.05): number {
  return powerCurve(n, alpha)(effect);
}

/**
 * The same for any effect. What does not depend on the effect is computed once.
 *
 * Source: the noncentral t distribution (Cohen, "Statistical Power Analysis", 1988), as P(Z + effect > c S) with S^2 chi-squared with n - 1
 * degrees of freedom over n - 1, integrated over S by Simpson's rule.
 */
function powerCurve(n: number, alpha: number): (effect: number) => number {
  const df = n - 1;
  const critical = studentQuantile(1 - alpha / 2, df);
  // ln of the density of S, whose square is chi-squared(df) / df.
  const front = Math.LN2 + (df / 2) * Math.log(df / 2) - logGamma(df / 2);
  const density = (s: number) =>
    s === 0
      ? df === 1
        ? Math.sqrt(2 / Math.PI)
        : 0
      : Math.exp(front + (df - 1) * Math.log(s) - (df / 2) * s * s);
  // Beyond so far from 1 the density of S is below e^-40.
  const spread = Math.sqrt(80 / df);
  const from = Math.max(0, 1 - spread);
  const to = 1 + spread;
  const steps = 2000;
  const width = (to - from) / steps;
  const bounds = new Float64Array(steps + 1);
  const weights = new Float64Array(steps + 1);
  for (let at = 0; at <= steps; at++) {
    const s = from + at * width;
    bounds[at] = critical * s;
    weights[at] = (at === 0 || at === steps ? 1 : at % 2 === 1 ? 4 : 2) * density(s);
  }
  return (effect) => {
    let sum = 0;
    for (let at = 0; at <= steps; at++) {
      const bound = bounds[at] as number;
      sum += (weights[at] as number) * (normalCdf(effect - bound) + normalCdf(-effect - bound));
    }
    return (sum * width) / 3;
  };
}

const effects = new Map<string, number>();

/** How many standard errors from 0 the true mean of `n` values must be for the t test at `alpha` to see it with a chance of 80 %. */
export function detectableEffect(n: number, alpha = 0.05): number {
  const key = `${n} ${alpha}`;
  const known = effects.get(key);
  if (known !== undefined) return known;
  const power = powerCurve(n, alpha);
  const lacks = (effect: number) => power(effect) - POWER;
  let low = 0;
  let high = 4 * studentQuantile(1 - alpha / 2, n - 1);
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
