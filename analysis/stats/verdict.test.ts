// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { MOST_CORRELATED, pooledCorrelation, seriesFacts } from './autocorrelation.ts';
import { pairedEvidence } from './evidence.ts';
import { moreFailures, tarone } from './exact-test.ts';
import { judgeFamily, type Tested } from './judge-family.ts';
import { normalQuantile } from './normal.ts';
import { type PairedRatio, pairedRatio } from './paired-ratio.ts';
import { judgedVariance, variancePrior } from './pooled-variance.ts';
import { randomWords, uniform } from './random.ts';
import { digamma, trigamma, trigammaInverse } from './trigamma.ts';
import { decidingP, type Facts, verdict } from './verdict.ts';

function close(t: { true: (is: boolean, why?: string) => unknown }, own: number, theirs: number) {
  t.true(Math.abs(own - theirs) <= 1e-9 * Math.max(1, Math.abs(theirs)), `${own}, expected ${theirs}`);
}

const pairsOf = (ratios: readonly number[]) => ratios.map((value) => ({ value, baseline: 1 }));
const evidenceOf = (ratios: readonly number[], drifts = false) => pairedEvidence(pairsOf(ratios), drifts);
const around = (middle: number, spread: number, n = 5) =>
  Array.from({ length: n }, (_, at) => middle * Math.exp(spread * (at - (n - 1) / 2)));

const SURE: Tested = { pDiffers: 0.001, pEquivalent: 1 };
const SAME: Tested = { pDiffers: 1, pEquivalent: 0.001 };
const NEITHER: Tested = { pDiffers: 0.06, pEquivalent: 1 };
const FACTS: Facts = { direction: 'lower', failureRate: 0, baselineFailureRate: 0 };
const HALF = pairedRatio(pairsOf(around(0.5, 0.01)));

test('the tests decide, and the direction says which way', (t) => {
  t.is(verdict(HALF, SURE, FACTS), 'better');
  t.is(verdict(HALF, SURE, { ...FACTS, direction: 'higher' }), 'worse');
  t.is(verdict(pairedRatio(pairsOf(around(2, 0.01))), SURE, FACTS), 'worse');
  t.is(verdict(HALF, SAME, FACTS), 'equivalent');
  t.is(verdict(HALF, NEITHER, FACTS), 'undecided');
  t.is(verdict(HALF, undefined, FACTS), 'undecided');
});

test('no verdict stands on fewer than five pairs, on failures, or on a control that is not sound', (t) => {
  for (const n of [0, 1, 2, 3, 4]) {
    t.is(verdict(pairedRatio(pairsOf(around(0.5, 0.01, n))), SURE, FACTS), 'too few blocks', `${n}`);
  }
  t.is(verdict(HALF, SURE, { ...FACTS, failureRate: 0.8 }), 'fails', '8 of 10 ejected');
  t.is(verdict(HALF, SURE, { ...FACTS, failureRate: 0.1 }), 'better', 'the stated rate itself is allowed');
  t.is(verdict(HALF, SURE, { ...FACTS, baselineFailureRate: 0.6 }), 'undecided');
  t.is(verdict(HALF, SAME, { ...FACTS, baselineFailureRate: 0.6 }), 'undecided');
  t.is(verdict(HALF, SURE, { ...FACTS, controlFailed: true }), 'undecided');
  const zero: PairedRatio = { kind: 'none', pairs: 5, why: 'not-positive' };
  t.is(verdict(zero, undefined, FACTS), undefined);
  t.is(verdict(zero, undefined, { ...FACTS, failureRate: 0.5 }), 'fails');
});

test('the p that is shown is the one that decided', (t) => {
  t.is(decidingP('better', SURE), 0.001);
  t.is(decidingP('equivalent', SAME), 0.001);
  t.is(decidingP('undecided', NEITHER), 0.06);
  for (const word of ['fails', 'too few blocks', undefined] as const) t.is(decidingP(word, SURE), undefined);
});

test('a cell alone is tested by t against the margin, as SciPy computes it', (t) => {
  // L = log([.5, .52, .49, .51, .505]); 2 * stats.t.sf((abs(L.mean()) - log(1.02)) / stats.sem(L), 4)
  const [one] = judgeFamily([evidenceOf([0.5, 0.52, 0.49, 0.51, 0.505])], { margin: 1.02 });
  close(t, one?.pDiffers ?? Number.NaN, 2.972869865853098e-7);
  t.is(one?.pEquivalent, 1);
  // L = log([1, 1.004, .998, 1.001, .999]); stats.t.sf((log(1.02) - abs(L.mean())) / stats.sem(L), 4)
  const [same] = judgeFamily([evidenceOf([1, 1.004, 0.998, 1.001, 0.999])], { margin: 1.02 });
  close(t, same?.pEquivalent ?? Number.NaN, 2.3231539438067906e-5);
  t.is(same?.pDiffers, 1);
});

test('each cell of the family, also one without evidence, makes a verdict harder, and so does each interim analysis', (t) => {
  const cell = evidenceOf(around(0.8, 0.02));
  const pOf = (others: number, looks = 1) =>
    judgeFamily([cell, ...Array.from({ length: others }, () => undefined)], { margin: 1.02, looks })[0]
      ?.pDiffers as number;
  close(t, pOf(19), 20 * pOf(0));
  close(t, pOf(0, 4), 4 * pOf(0));
});

test('blocks that agree by luck are judged by the spread of cells like them, and noisy ones by their own', (t) => {
  const noisy = [0.05, 0.06, 0.05, 0.04, 0.05].map((spread) => evidenceOf(around(1, spread)));
  const lucky = evidenceOf(around(0.9, 0.0005));
  const alone = judgeFamily([lucky], { margin: 1.02 })[0]?.pDiffers as number;
  const among = judgeFamily([lucky, ...noisy], { margin: 1.02 })[0];
  t.true(alone < 1e-6);
  t.true((among?.noise as number) > 4 * Math.sqrt(lucky?.variance as number), `${among?.noise}`);
  t.true((among?.pDiffers as number) > 100 * alone);
  const wild = evidenceOf(around(1, 1));
  t.is(judgeFamily([wild, ...noisy], { margin: 1.02 })[0]?.noise, Math.sqrt(wild?.variance as number));
});

test('without any spread an equal ratio is equivalent and any other has a sign test; the spread of others decides where there is some', (t) => {
  const [equal, half] = judgeFamily([evidenceOf([1, 1, 1, 1, 1]), evidenceOf(around(0.5, 0))], {
    margin: 1.02,
  });
  t.like(equal, { pDiffers: 1, pEquivalent: 0 });
  // A sign test of five blocks, twice: 2 * 2 / 2^5.
  t.deepEqual(half, { pDiffers: 0.125, pEquivalent: 1 });
  const others = [0.01, 0.02].map((spread) => evidenceOf(around(1, spread)));
  const judged = judgeFamily([evidenceOf(around(0.5, 0)), ...others], { margin: 1.02 });
  t.true((judged[0]?.pDiffers as number) < 1e-4);
  t.true((judged[0]?.noise as number) > 0.01);
});

test('a variance is never taken for smaller than the cell shows, nor than cells like it', (t) => {
  const words = randomWords(3);
  for (let round = 0; round < 200; round++) {
    const cells = Array.from({ length: 12 }, () => ({ variance: Math.exp(6 * uniform(words) - 8), df: 4 }));
    const prior = variancePrior(cells);
    for (const cell of cells) t.true((judgedVariance(cell, prior) as number) >= cell.variance);
  }
  const alike = Array.from({ length: 12 }, () => ({ variance: 0.01, df: 4 }));
  t.is(variancePrior(alike)?.df, Number.POSITIVE_INFINITY);
  t.true((judgedVariance({ variance: 1e-9, df: 4 }, variancePrior(alike)) as number) > 0.01);
  t.is(variancePrior([{ variance: 0, df: 4 }]), undefined);
});

test('psi functions are those of SciPy', (t) => {
  // special.digamma, special.polygamma(1, x)
  for (const [x, psi, psi1] of [
    [0.1, -10.423754940411076, 101.43329915079275],
    [1, -0.5772156649015329, 1.6449340668482266],
    [2.5, 0.7031566406452432, 0.4903577561002348],
    [37, 3.597343531893106, 0.027395547002757686],
  ] as const) {
    close(t, digamma(x), psi);
    close(t, trigamma(x), psi1);
    close(t, trigammaInverse(trigamma(x)), x);
  }
});

test('the correlation of blocks is found from many short series, and allowed for', (t) => {
  const ar = (rho: number, n: number, which: number) => {
    const words = randomWords(5, which, n, rho);
    let before = normalQuantile(uniform(words));
    return Array.from({ length: n }, (_, at) => {
      if (at > 0) before = rho * before + Math.sqrt(1 - rho * rho) * normalQuantile(uniform(words));
      return before;
    });
  };
  const estimate = (rho: number, n: number) =>
    pooledCorrelation(Array.from({ length: 400 }, (_, which) => ar(rho, n, which)));
  for (const n of [5, 10, 20]) {
    // Of five blocks a mean of quotients is lower than the quotient of the means that it is compared with.
    t.true(Math.abs(estimate(0.7, n) - 0.7) < (n === 5 ? 0.25 : 0.1), `n = ${n}: ${estimate(0.7, n)}`);
    t.true(estimate(0, n) < 0.1, `n = ${n}: ${estimate(0, n)}`);
  }
  t.is(pooledCorrelation([]), 0);
  t.is(
    pooledCorrelation([
      [1, 1, 1, 1],
      [1, 2],
    ]),
    0,
    'nothing is known',
  );
  t.is(pooledCorrelation([[1, 2, 3, 4, 5, 6, 7, 8]]), MOST_CORRELATED);
  // By NumPy from the covariance matrix of five values with correlation 0.7.
  const facts = seriesFacts(5, 0.7);
  close(t, facts.inflation, 6.408209996044878);
  close(t, facts.df, 2.7562847566323665);
  close(t, facts.lagOne, 0.11194654343346029);
  t.deepEqual([seriesFacts(5, 0).inflation, seriesFacts(5, 0).df], [1, 4]);
  const rising = evidenceOf([0.7, 0.75, 0.8, 0.85, 0.9, 0.95], true);
  const shuffled = evidenceOf([0.9, 0.7, 0.85, 0.75, 0.95, 0.8], true);
  const p = (cell: typeof rising) => judgeFamily([cell], { margin: 1.02 })[0]?.pDiffers as number;
  t.true(p(rising) > p(shuffled));
});

test("failures are compared by Fisher's test, corrected for the cells that could show any", (t) => {
  // stats.fisher_exact([[4, 1], [0, 5]], alternative="greater")
  close(t, moreFailures({ failedA: 0, triedA: 5, failedB: 4, triedB: 5 }).p, 0.023809523809523808);
  close(t, moreFailures({ failedA: 0, triedA: 5, failedB: 3, triedB: 5 }).p, 0.08333333333333333);
  t.deepEqual(moreFailures({ failedA: 0, triedA: 5, failedB: 0, triedB: 5 }), { p: 1, least: 1 });
  t.is(moreFailures({ failedA: 0, triedA: 0, failedB: 4, triedB: 5 }).p, 1);
  const quiet = Array.from({ length: 19 }, () => ({ p: 1, least: 1 }));
  t.is(tarone([{ p: 0.0238, least: 0.0238 }, ...quiet], 0.05)[0], 0.0238);
  const loud = Array.from({ length: 20 }, () => ({ p: 0.0238, least: 1e-5 }));
  t.is(tarone(loud, 0.05)[0], 20 * 0.0238);
});
