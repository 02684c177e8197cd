// SPDX-License-Identifier: Apache-2.0
import { normalQuantile } from '../stats/normal.ts';
import { uniform, type Words } from '../stats/random.ts';

/** Shapes of the noise of one value's logarithm, each with mean 0 and a standard deviation near 1. */
export const SHAPES = {
  /** Values are log-normal, log ratios normal. */
  'log-normal': (words: Words) => normalQuantile(uniform(words)),
  /** Student's t with 3 degrees of freedom, scaled: now and then a value far off. */
  'heavy-tailed': (words: Words) => {
    const squares = [1, 2, 3].reduce((sum) => sum + normalQuantile(uniform(words)) ** 2, 0);
    return normalQuantile(uniform(words)) / Math.sqrt(squares / 3) / Math.sqrt(3);
  },
  /** Exponential: a shortest time, and delays on top. */
  skewed: (words: Words) => -Math.log(uniform(words)) - 1,
  /** Student's t with 2 degrees of freedom, halved: it has no standard deviation. */
  'very heavy-tailed': (words: Words) => {
    const squares = [1, 2].reduce((sum) => sum + normalQuantile(uniform(words)) ** 2, 0);
    return normalQuantile(uniform(words)) / Math.sqrt(squares / 2) / 2;
  },
  /** One value in five is of a slow mode, 2.5 standard deviations away. */
  bimodal: (words: Words) => (uniform(words) < 0.2 ? 2 : -0.5) + 0.15 * normalQuantile(uniform(words)),
} as const;

/** `normal`: the values themselves are normal around 1, which their logarithms are not quite. */
export type Shape = keyof typeof SHAPES | 'normal';

/** A value of a trial: `middle` times noise of `spread` (standard deviation of the logarithm, of the value itself for `normal`). */
export function noisyValue(shape: Shape, middle: number, spread: number, words: Words): number {
  if (shape !== 'normal') return middle * Math.exp(spread * SHAPES[shape](words));
  // Four standard deviations keep a value positive; the mean stays where it is.
  const noise = Math.max(-4, Math.min(4, normalQuantile(uniform(words))));
  return middle * (1 + spread * noise);
}

/** Noise of the logarithms of values that follow each other (AR(1)), each with mean 0 and a standard deviation near 1. */
export function noisySeries(shape: Shape, n: number, correlation: number, words: Words): number[] {
  const draw = SHAPES[shape === 'normal' ? 'log-normal' : shape];
  let before = draw(words);
  return Array.from({ length: n }, (_, at) => {
    if (at > 0) before = correlation * before + Math.sqrt(1 - correlation ** 2) * draw(words);
    return before;
  });
}
