// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { bootstrapMean } from './bootstrap-mean.ts';
import { cliffsDelta } from './cliffs-delta.ts';
import { median } from './median.ts';
import { LEVEL, logRatios, type Pair, pairedRatio } from './paired-ratio.ts';
import { randomWords } from './random.ts';
import { EXACT_UP_TO, signFlipTest } from './sign-flip.ts';
import { welchRatio } from './welch-ratio.ts';

/** What another program made of one case; members that it does not compute are absent or null. */
export interface ReferenceCase {
  readonly title: string;
  readonly ratio?: number;
  readonly interval: readonly number[];
  readonly within?: readonly number[];
  readonly pT: number;
  /** Of the same values as two samples without partners. */
  readonly welch?: readonly number[];
  readonly pWelch?: number;
  readonly p: number | null;
  /** Of the mean of the logarithms, from 100,000 resamples. */
  readonly percentile: readonly number[];
  readonly bca: readonly (number | null)[];
  readonly cliffsDelta?: number;
  readonly median?: number;
}

/** Cases of a CSV file with the columns case, a, b, by title. */
export function readVectors(path: string): ReadonlyMap<string, Pair[]> {
  const cases = new Map<string, Pair[]>();
  for (const line of readFileSync(path, 'utf8').trimEnd().split('\n').slice(1)) {
    const [, title = '', value, baseline] = /^"([^"]+)",([^,]+),([^,]+)$/.exec(line) ?? [];
    cases.set(title, [...(cases.get(title) ?? []), { value: Number(value), baseline: Number(baseline) }]);
  }
  return cases;
}

/** In what our figures for `pairs` differ from the other program's, in words; closed forms may by 1e-9, resampled ends by Monte-Carlo error. */
export function differencesFrom(other: ReferenceCase, pairs: readonly Pair[]): string[] {
  const found: string[] = [];
  const compare = (name: string, own: number, theirs: number | undefined | null, tolerance: number) => {
    if (theirs === undefined || theirs === null || Math.abs(own - theirs) <= tolerance) return;
    found.push(`${other.title}: ${name} is ${own}, theirs ${theirs}`);
  };
  const closed = (name: string, own: number, theirs: number | undefined | null) =>
    compare(name, own, theirs, 1e-9 * Math.max(Math.abs(theirs ?? 0), 1e-3));

  const logs = logRatios(pairs) as number[];
  const ratio = pairedRatio(pairs);
  if (ratio.kind !== 'interval') return [`${other.title}: no interval`];
  closed('ratio', ratio.ratio, other.ratio);
  closed('low', ratio.low, other.interval[0]);
  closed('high', ratio.high, other.interval[1]);
  closed('low of 90 %', ratio.within.low, other.within?.[0]);
  closed('high of 90 %', ratio.within.high, other.within?.[1]);
  closed('p of t', ratio.p ?? Number.NaN, other.pT);
  const [values, baselines] = [pairs.map(({ value }) => value), pairs.map(({ baseline }) => baseline)];
  const welch = welchRatio(values, baselines);
  if (welch.kind === 'interval') {
    closed('low of Welch', welch.low, other.welch?.[0]);
    closed('high of Welch', welch.high, other.welch?.[1]);
    closed('p of Welch', welch.p ?? Number.NaN, other.pWelch);
  }
  closed("Cliff's delta", cliffsDelta(values, baselines) as number, other.cliffsDelta);
  closed('median', median(values) as number, other.median);

  const p = signFlipTest(logs, randomWords(1, other.title)) as number;
  if (logs.length <= 12) closed('p of sign flips', p, other.p);
  // Each side drew at random: four standard errors of the difference, ours of about 20,000 draws, theirs of 100,000.
  else if (other.p !== null) {
    const errors = Math.sqrt(other.p * (1 - other.p) * ((logs.length > EXACT_UP_TO ? 1 / 19_999 : 0) + 1e-5));
    compare('p of sign flips', p, other.p, 4 * errors + 1e-4);
  }
  const own = bootstrapMean(logs, LEVEL, randomWords(2, other.title), 100_000);
  if (own === undefined) return [...found, `${other.title}: no bootstrap intervals`];
  const ends = (name: 'percentile' | 'bca') => {
    const [low, high] = other[name];
    if (typeof low !== 'number' || typeof high !== 'number') return;
    // Of few values there are few different means, and an end can be this one or the next.
    const tolerance = (logs.length < 12 ? 0.12 : 0.02) * (high - low);
    compare(`${name} low`, own[name].low, low, tolerance);
    compare(`${name} high`, own[name].high, high, tolerance);
  };
  ends('percentile');
  ends('bca');
  return found;
}
