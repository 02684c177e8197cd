// SPDX-License-Identifier: Apache-2.0
import type { Interval } from '../stats/bootstrap-mean.ts';
import { meanOf } from '../stats/moments.ts';
import { quantile } from '../stats/quantile.ts';
import { pick, type Words } from '../stats/random.ts';
import { studentInterval, studentQuantile } from '../stats/student.ts';

/** What an interval of a mean is made from, computed once for all methods. */
interface Sample {
  readonly values: readonly number[];
  readonly mean: number;
  /** Standard error of the mean. */
  readonly error: number;
  /** Third central moment over the 3/2th power of the second. */
  readonly skewness: number;
  readonly level: number;
  readonly words: Words;
}

const RESAMPLES = 399;

/**
 * Intervals of a mean that allow for skewness, each tried as a remedy where Student's is short. None is used by tables:
 * results/reference/coverage.md has what they reach, and what they cost where there is nothing to remedy.
 */
export const REMEDIES: Readonly<Record<string, (sample: Sample) => Interval>> = {
  'paired-t': student,
  /** Johnson, "Modified t tests and confidence intervals for asymmetrical populations", JASA 73 (1978) 536-544: moves the interval, and keeps its width. */
  'Johnson 1978': (sample) => {
    const { low, high } = student(sample);
    const move = (sample.skewness * sample.error) / (6 * Math.sqrt(sample.values.length));
    return { low: low + move, high: high + move };
  },
  'Hall 1992': hall,
  /** The smallest interval that holds both: right whether or not one allows for skewness. */
  "Student's and Hall's together": (sample) => {
    const [a, b] = [student(sample), hall(sample)];
    return { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
  },
  'bootstrap-t': bootstrapT,
};

/** Undefined for fewer than two values, or without spread. */
export function sampleOf(values: readonly number[], level: number, words: Words): Sample | undefined {
  const n = values.length;
  const mean = meanOf(values);
  const moment = (power: number) => values.reduce((sum, value) => sum + (value - mean) ** power, 0) / n;
  const second = moment(2);
  if (n < 2 || second === 0) return undefined;
  const skewness = moment(3) / second ** 1.5;
  return { values, mean, error: Math.sqrt(second / (n - 1)), skewness, level, words };
}

function student({ values, level }: Sample): Interval {
  return studentInterval(values, level) as Interval;
}

/** Hall, "On the removal of skewness by transformation", J. R. Statist. Soc. B 54 (1992) 221-228: a monotone cubic of the t statistic, taken back. */
function hall({ values, mean, error, skewness, level }: Sample): Interval {
  const n = values.length;
  const t = studentQuantile(1 - (1 - level) / 2, n - 1);
  const slope = skewness / (3 * Math.sqrt(n));
  const back = (u: number) => {
    if (Math.abs(slope) < 1e-9) return u;
    return (Math.cbrt(1 + 3 * slope * (u - skewness / (6 * Math.sqrt(n)))) - 1) / slope;
  };
  return { low: mean - back(t) * error, high: mean - back(-t) * error };
}

/** Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.5. A resample of one value has no spread, and is infinitely far off. */
function bootstrapT({ values, mean, error, level, words }: Sample): Interval {
  const n = values.length;
  const least = 1e-12 * error * error;
  const studentised = Float64Array.from({ length: RESAMPLES }, () => {
    let [sum, squares] = [0, 0];
    for (let draw = 0; draw < n; draw++) {
      const value = (values[pick(words, n)] as number) - mean;
      sum += value;
      squares += value * value;
    }
    const square = (squares - (sum * sum) / n) / (n - 1) / n;
    return square > least ? sum / n / Math.sqrt(square) : Math.sign(sum) * Number.MAX_VALUE;
  }).sort();
  const end = (share: number) => mean - quantile(studentised, share) * error;
  const tail = (1 - level) / 2;
  return { low: end(1 - tail), high: end(tail) };
}
