// SPDX-License-Identifier: Apache-2.0

/**
 * P(Z <= x) of the standard normal distribution, to about 1e-14 relatively, also far out in the lower tail.
 *
 * Source: the series 7.6.2 of erf near 0 and the continued fraction 7.9.2 of erfc elsewhere, NIST Digital Library of Mathematical Functions.
 */
export function normalCdf(x: number): number {
  const size = Math.abs(x) / Math.SQRT2;
  const upper = 0.5 * erfc(size);
  return x < 0 ? upper : 1 - upper;
}

/** Density of the standard normal distribution. */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

function erfc(x: number): number {
  return x < 2 ? 1 - erfSeries(x) : erfcFraction(x);
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** From the far end of the fraction back; at x >= 2 a hundred levels are more than enough. */
function erfcFraction(x: number): number {
  let tail = x;
  for (let level = 100; level >= 1; level--) tail = x + level / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}

/**
 * x with P(Z <= x) = p, for p in (0, 1): Hastings' rational start (Abramowitz and Stegun 26.2.23), then Halley's method on `normalCdf`.
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`no normal quantile of ${p}`);
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let x = -(
    t -
    (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3)
  );
  for (let round = 0; round < 4; round++) {
    const error = (normalCdf(x) - p) / normalDensity(x);
    x -= error / (1 + (x * error) / 2);
  }
  return x;
}
