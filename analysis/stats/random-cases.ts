// SPDX-License-Identifier: Apache-2.0
// Random cases, and what our closed forms make of them, as JSON: a line each. SciPy and statsmodels are asked about the same by
//
//     apt-get install python3-scipy python3-statsmodels
//     node analysis/stats/random-cases.ts [cases] [seed] | python3 analysis/stats/random-cases.py
//
// which prints every disagreement beyond 1e-9, and ends with status 1 if there is one.
import { benjaminiHochberg, holm } from './adjust.ts';
import { cliffsDelta } from './cliffs-delta.ts';
import { pairedEvidence } from './evidence.ts';
import { moreFailures } from './exact-test.ts';
import { judgeFamily } from './judge-family.ts';
import { kendallTauB } from './kendall.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { pairedRatio } from './paired-ratio.ts';
import { powerOfT } from './power.ts';
import { pick, randomWords, uniform, type Words } from './random.ts';
import { studentQuantile, studentTails } from './student.ts';
import { digamma, trigamma } from './trigamma.ts';
import { welchRatio } from './welch-ratio.ts';

const [count = '5000', seed = '1'] = process.argv.slice(2);

/** Values of many shapes: near to each other, skewed, with ties, far apart. */
const SHAPES: readonly ((words: Words) => number)[] = [
  (words) => Math.exp(0.1 * normalQuantile(uniform(words))),
  (words) => uniform(words) ** -0.8,
  (words) => 1 + pick(words, 4),
  (words) => 10 ** (100 * uniform(words) - 50),
  (words) => 10 ** (6 * uniform(words) - 3) * Math.exp(0.01 * normalQuantile(uniform(words))),
];

const between = (words: Words, low: number, high: number) => low + pick(words, high - low + 1);
const list = <T>(n: number, of: () => T) => Array.from({ length: n }, of);

function values(words: Words, n: number): number[] {
  const shape = SHAPES[pick(words, SHAPES.length)] as (typeof SHAPES)[number];
  return list(n, () => shape(words));
}

const KINDS: Readonly<Record<string, (words: Words) => { readonly of: object; readonly own: object }>> = {
  pair: (words) => {
    const n = between(words, 2, 40);
    const [a, b] = [values(words, n), values(words, n)];
    const own = pairedRatio(a.map((value, at) => ({ value, baseline: b[at] as number })));
    return { of: { a, b }, own: { ...own, delta: cliffsDelta(a, b) } };
  },
  welch: (words) => {
    const [a, b] = [values(words, between(words, 2, 30)), values(words, between(words, 2, 30))];
    return { of: { a, b }, own: welchRatio(a, b) };
  },
  adjust: (words) => {
    const p = list(between(words, 1, 60), () => uniform(words) ** between(words, 1, 4));
    return { of: { p }, own: { holm: holm(p), bh: benjaminiHochberg(p) } };
  },
  power: (words) => {
    const of = {
      effect: between(words, 0, 24) / 4,
      n: between(words, 2, 60),
      alpha: [0.05, 0.01, 0.001, 0.05 / 90][pick(words, 4)] as number,
    };
    return { of, own: { power: powerOfT(of.effect, of.n, of.alpha) } };
  },
  kendall: (words) => {
    const n = between(words, 3, 25);
    const [x, y] = [list(n, () => pick(words, 9)), list(n, () => pick(words, 9))];
    return { of: { x, y }, own: { tau: kendallTauB(x, y) } };
  },
  functions: (words) => {
    const of = {
      ...{ t: 40 * (uniform(words) - 0.5), df: 1 + 60 * uniform(words) ** 3, p: uniform(words) },
      ...{ x: 50 * uniform(words) ** 3 + 1e-3, z: 16 * (uniform(words) - 0.5) },
    };
    return {
      of,
      own: {
        ...{ tails: studentTails(of.t, of.df), quantile: studentQuantile(of.p, of.df) },
        ...{ digamma: digamma(of.x), trigamma: trigamma(of.x) },
        ...{ cdf: normalCdf(of.z), normal: normalQuantile(of.p) },
      },
    };
  },
  failures: (words) => {
    const [triedA, triedB] = [between(words, 1, 30), between(words, 1, 30)];
    const of = { triedA, triedB, failedA: pick(words, triedA + 1), failedB: pick(words, triedB + 1) };
    return { of, own: moreFailures(of) };
  },
  family: (words) => {
    const n = between(words, 5, 20);
    const drifts = pick(words, 2) === 1;
    const cells = list(between(words, 1, 12), () => {
      const [middle, spread] = [0.3 * (uniform(words) - 0.5), Math.exp(3 * uniform(words) - 5)];
      return list(n, () => Math.exp(middle + spread * normalQuantile(uniform(words))));
    });
    const tested = judgeFamily(
      cells.map((cell) =>
        pairedEvidence(
          cell.map((value) => ({ value, baseline: 1 })),
          drifts,
        ),
      ),
      { margin: 1.02 },
    );
    return { of: { cells, drifts }, own: { tested } };
  },
};

const names = Object.keys(KINDS);
for (let at = 0; at < Number(count); at++) {
  const kind = names[at % names.length] as string;
  const made = (KINDS[kind] as (typeof KINDS)[string])(randomWords(Number(seed), kind, at));
  console.log(
    JSON.stringify({ kind, at, ...made }, (_key, value) =>
      value === Number.POSITIVE_INFINITY ? 'inf' : value,
    ),
  );
}
