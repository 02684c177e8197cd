// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { SAMPLE_MACHINE } from '../sample-evidence.ts';
import { unitVector } from '../vector.ts';
import { answerFrom } from './ask.ts';
import { type Bounded, bestOf, crossFit, foldsOf, LEVEL, withIntervals } from './calibrate.ts';
import { type Calibration, calibrationOf, priorsFrom } from './calibration.ts';
import { centroidMethod, kMeans } from './centroid.ts';
import { chooseKnn, chosenKnn, KNN } from './choose-settings.ts';
import { decide } from './decide.ts';
import { knnEstimates } from './estimate.ts';
import { knnMethod } from './knn.ts';
import type { Method } from './method.ts';
import { ridgeMethod } from './ridge.ts';
import { arcOfWorkloads, sampleExample, sampleNoise, unitOf } from './sample-examples.ts';
import { costsOf, type Example, learntCost, logCostOf, priorsOf } from './training.ts';

/** Estimates with an interval of so many deviations on either side. */
function bounded<T extends Parameters<typeof bestOf>[0][number]>(
  estimates: readonly T[],
  deviations = 1,
): Bounded[] {
  return estimates.map((each) => ({
    ...each,
    low: each.expected - deviations * each.deviation,
    high: each.expected + deviations * each.deviation,
  }));
}

/** Each example with what the others, its workload left out, lead to. */
function leftOut(method: Method, examples: readonly Example[]) {
  return examples.map((example) => ({
    example,
    estimates: method
      .fit(examples.filter(({ workload }) => workload !== example.workload))
      .estimates(example.vectors[0] as Float32Array),
  }));
}

function estimate(examples: readonly Example[], distances: readonly number[], policy: string) {
  const near = examples.map(({ costs }, at) => ({ distance: distances[at] as number, costs }));
  const found = knnEstimates(near, priorsOf(examples), { k: 8, bandwidth: 0.4 }).find(
    (each) => each.policy === policy,
  );
  if (found === undefined) throw new Error(policy);
  return found;
}

test('a near neighbour outweighs a far one, and neither outweighs everything', (t) => {
  const examples = [sampleExample('a', unitOf(1, 0), { p: -1 }), sampleExample('b', unitOf(0, 1), { p: 1 })];
  const near = estimate(examples, [0.1, 1], 'p').expected;
  // Weights 16 and 0.16, and 1 for the prior, which is 0; a logarithm of 1 is learnt as ln 2.
  t.true(Math.abs(near - (Math.LN2 * (-16 + 0.16)) / 17.16) < 1e-12);
  t.true(Math.abs(estimate(examples, [0.7, 0.7], 'p').expected) < 1e-12);
  // Closer than a fifth of the bandwidth is as close as can be.
  t.is(estimate(examples, [0, 1], 'p').expected, estimate(examples, [0.08, 1], 'p').expected);
});

test('learning keeps the order of costs, and small ones nearly as they are', (t) => {
  const costs = [-4, -1, -0.1, -0.01, 0, 0.01, 0.1, 1, 4];
  const learnt = costs.map(learntCost);
  t.deepEqual(
    [...learnt].sort((a, b) => a - b),
    learnt,
  );
  learnt.forEach((each, at) => {
    t.true(Math.abs(logCostOf(each) - (costs[at] as number)) < 1e-12);
  });
  t.true(Math.abs(learntCost(0.01) - 0.01) < 1e-4);
  t.true(learntCost(-4) > -2);
});

test('settings are those that would have cost least on other workloads, and the same for a picker and its map', (t) => {
  const examples = arcOfWorkloads(20);
  const chosen = chooseKnn(examples);
  const cost = (settings: typeof chosen) => {
    const held = leftOut(knnMethod(settings), examples);
    const real = held.map(({ example, estimates }) => {
      const best = [...estimates].sort((a, b) => a.expected - b.expected)[0];
      return example.costs.get(best?.policy ?? '')?.logCost ?? Number.NaN;
    });
    return real.reduce((sum, each) => sum + each, 0);
  };
  for (const k of [2, 3, 5, 8]) {
    for (const bandwidth of [0.35, 0.5, 0.7, 1]) t.true(cost(chosen) <= cost({ k, bandwidth }) + 1e-12);
  }
  t.deepEqual(calibrationOf(examples).knn, chosen);
  t.is(chosenKnn().chosenOn?.(examples).name, knnMethod(chosen).name);
  t.deepEqual(chooseKnn(arcOfWorkloads(4)), KNN);
});

test('neighbours that contradict each other widen the interval, and so do noisy ones', (t) => {
  const agree = [-0.5, -0.5, -0.5].map((cost, at) => sampleExample(`w${at}`, unitOf(1, at), { p: cost }));
  // As learnt, these have the mean of the others.
  const differ = [0, -Math.expm1(2 * Math.log(1.5)), -0.5].map((cost, at) =>
    sampleExample(`w${at}`, unitOf(1, at), { p: cost }),
  );
  const distances = [0.2, 0.2, 0.2];
  const [sure, unsure] = [estimate(agree, distances, 'p'), estimate(differ, distances, 'p')];
  t.true(Math.abs(sure.expected - unsure.expected) < 1e-12);
  t.true(unsure.deviation > 5 * sure.deviation);
  const noisy = agree.map((example) => ({
    ...example,
    costs: new Map([...example.costs].map(([policy, cost]) => [policy, { ...cost, variance: 0.25 }])),
  }));
  t.true(estimate(noisy, distances, 'p').deviation > 5 * sure.deviation);
});

test('a policy that failed nearby is left alone, whatever else it did', (t) => {
  const examples = [
    sampleExample('a', unitOf(1, 0), { fast: 'failed', slow: -0.1 }),
    sampleExample('b', unitOf(0, 1), { fast: -1, slow: -0.1 }),
  ];
  const estimates = ['fast', 'slow'].map((policy) => estimate(examples, [0.1, 0.9], policy));
  const { policy, ranking } = decide(bounded(estimates, 0));
  t.is(policy, 'slow');
  t.is(ranking.find((each) => each.policy === 'fast')?.against, 'fails');
});

test('an interval that includes "no better" recommends nothing', (t) => {
  const sure = { policy: 'a', expected: -0.2, deviation: 0.1, failures: 0 };
  t.is(decide(bounded([sure])).policy, 'a');
  const { policy, ranking } = decide(bounded([{ ...sure, deviation: 0.3 }]));
  t.is(policy, undefined);
  t.is(ranking[0]?.against, 'no better');
});

test('each method sees which end of the arc a workload is at, and the best single policy does not', (t) => {
  const examples = arcOfWorkloads(20);
  for (const method of [knnMethod({ k: 3, bandwidth: 0.4 }), ridgeMethod(0.1), centroidMethod(4)]) {
    const held = leftOut(method, examples);
    const right = held.filter(({ estimates }, at) => {
      const best = [...estimates].sort((a, b) => a.expected - b.expected)[0];
      return best?.policy === (at < 10 ? 'left' : 'right');
    });
    // The two in the middle are nobody's.
    t.true(right.length >= 17, `${method.name}: ${right.length}`);
  }
});

test('a ridge regression of two correlated inputs is the one that is solved by hand', (t) => {
  // Cosine 0.6, penalty 1: the kernel matrix is [[2, 0.6], [0.6, 2]], its inverse [[2, -0.6], [-0.6, 2]] / 3.64.
  const [first, second] = [unitOf(1, 0), Float32Array.of(0.6, 0.8)];
  const costs = [0.9, -0.1].map(logCostOf);
  const examples = [first, second].map((vector, at) =>
    sampleExample(`w${at}`, vector, { p: costs[at] as number }),
  );
  const fitted = ridgeMethod(1).fit(examples);
  // Targets are 0.5 and -0.5 beside the mean 0.4: weights are (2 * 0.5 + 0.6 * 0.5) / 3.64 and its negative.
  const weight = 1.3 / 3.64;
  const near = (x: number, y: number) => t.true(Math.abs(x - y) < 1e-6, `${x} is not ${y}`);
  const at = (vector: Float32Array) => fitted.estimates(vector)[0];
  near(at(first)?.expected ?? Number.NaN, 0.4 + weight * (1 - 0.6));
  near(at(second)?.expected ?? Number.NaN, 0.4 - weight * (1 - 0.6));
  near(at(unitOf(0, 1))?.expected ?? Number.NaN, 0.4 - weight * 0.8);
  // A weight over the inverse's diagonal, 2 / 3.64, is the residual of a situation that is left out.
  near(at(first)?.deviation ?? Number.NaN, 1.3 / 2);
});

test('k-means finds groups that are far apart, the same ones each time', (t) => {
  const points = [0, 1, 2, 45, 46, 88, 89, 90].map((degrees) => {
    const angle = (degrees / 180) * Math.PI;
    return unitOf(Math.cos(angle), Math.sin(angle));
  });
  const angles = kMeans(points, 3)
    .map((centre) => Math.round((Math.atan2(centre[1] as number, centre[0] as number) / Math.PI) * 180))
    .sort((a, b) => a - b);
  t.deepEqual(angles, [1, 46, 89]);
});

test('calibrated intervals hold for about as many new workloads as they say', (t) => {
  // Costs that no vector explains: whatever is picked was lucky, and the calibration has to know.
  const vectors = Array.from({ length: 400 }, (_, at) =>
    unitOf(sampleNoise(at, 'x'), sampleNoise(at, 'y'), sampleNoise(at, 'z')),
  );
  const examples = vectors.map((vector, at) =>
    sampleExample(`w${at}`, vector, {
      a: sampleNoise(at, 'a'),
      b: sampleNoise(at, 'b'),
      c: sampleNoise(at, 'c'),
    }),
  );
  const method = knnMethod({ k: 8, bandwidth: 0.4 });
  const [known, fresh] = [examples.slice(0, 200), examples.slice(200)];
  const folds = crossFit(method, known);
  const fitted = method.fit(known);
  const inside = fresh.filter((example) => {
    const vector = example.vectors[0] as Float32Array;
    const best = bestOf(
      withIntervals(
        fitted.estimates(vector),
        folds.map((fold) => ({ scores: fold.scores, estimates: fold.fitted.estimates(vector) })),
      ) ?? [],
    );
    return best !== undefined && learntCost(example.costs.get(best.policy)?.logCost ?? 9) <= best.high;
  });
  const share = inside.length / 200;
  t.true(Math.abs(share - LEVEL) < 0.07, String(share));
});

test('an interval is made of what folds say that did not see its situations, by hand', (t) => {
  const at = (expected: number, deviation: number) => [{ policy: 'p', expected, deviation, failures: 0 }];
  const [all] = at(0, 1);
  if (all === undefined) return t.fail();
  // Values are 0.1 + 1 (-1, 0, 1, 2) and -0.1 + 2 (-1, 0, 1, 2); of eight the seventh is the end on either side.
  const scores = [-1, 0, 1, 2];
  const [found] =
    withIntervals(
      [all],
      [
        { scores, estimates: at(0.1, 1) },
        { scores, estimates: at(-0.1, 2) },
      ],
    ) ?? [];
  t.true(Math.abs((found?.high ?? 9) - 2.1) < 1e-12, String(found?.high));
  t.true(Math.abs((found?.low ?? 9) - -0.9) < 1e-12, String(found?.low));
  t.is(
    withIntervals([all], [{ scores: scores.concat([0, 0, 0]), estimates: at(0, 1) }]),
    undefined,
    'seven scores',
  );
});

test('neither settings nor estimates of a fold have seen its workloads', (t) => {
  const examples = arcOfWorkloads(12);
  const seen: string[][] = [];
  const spy = (chosen: readonly string[]): Method => ({
    name: 'spy',
    fit(given) {
      seen.push([...chosen, ...given.map(({ workload }) => workload)]);
      return { estimates: () => [] };
    },
    chosenOn: (given) => spy(given.map(({ workload }) => workload)),
  });
  crossFit(spy([]), examples);
  t.is(seen.length, 12);
  for (const [at, fold] of foldsOf(examples).entries()) {
    t.is(seen[at]?.length, 22, 'chosen and learnt on eleven');
    t.false(seen[at]?.some((workload) => fold.has(workload)));
  }
  // Many workloads make five folds, each workload in one.
  const many = foldsOf(arcOfWorkloads(42));
  t.deepEqual(
    many.map(({ size }) => size),
    [9, 9, 8, 8, 8],
  );
  t.is(new Set(many.flatMap((fold) => [...fold])).size, 42);
});

test('too few situations calibrate nothing, and then nothing is recommended', (t) => {
  const calibration = calibrationOf(arcOfWorkloads(4));
  t.deepEqual(calibration.folds, []);
  const answer = answerFrom(question(unitOf(1, 0)), neighboursOf(arcOfWorkloads(4), 0), calibration);
  t.true(answer.abstained);
  t.regex(answer.why, /the map holds 4 situations of 4 workloads with this objective; intervals need 8/);
});

test('an answer names its policy, interval, neighbours and reason', (t) => {
  const examples = arcOfWorkloads(30);
  const answer = answerFrom(question(unitOf(1, 0)), neighboursOf(examples, 0), calibrationOf(examples));
  t.is(answer.recommend, 'left');
  t.false(answer.abstained);
  t.is(answer.ranking[0]?.policy, 'left');
  t.true((answer.ranking[0]?.high ?? 2) < 1);
  t.is(answer.neighbours.length, calibrationOf(examples).knn.k);
  t.is(answer.neighbours[0]?.cosine, 1);
  t.regex(
    answer.why,
    /^expected to cost -\d+ % \(at most -\d+(\.\d)? % in 75 % of new workloads\); nearest is w0 at 0\.00$/,
  );
});

test('an answer ranks every policy with its interval, and says of each why it was not taken', (t) => {
  const examples = arcOfWorkloads(30);
  const calibration = calibrationOf(examples);
  const near = neighboursOf(examples, 0).map((each) => ({
    ...each,
    policies: each.policies.map((known) =>
      known.policy === 'left' ? { ...known, trials: 4, failures: 1 } : known,
    ),
  }));
  const costs = near.map((each) => ({ ...each, costs: costsOf(each, 'primary') }));
  const estimates = withIntervals(
    knnEstimates(costs, priorsFrom(calibration), calibration.knn),
    calibration.folds.map((fold) => ({
      scores: fold.scores,
      estimates: knnEstimates(
        costs.filter(({ workload }) => workload !== fold.workloads[0]),
        priorsFrom(fold),
        fold.knn,
      ),
    })),
  );
  const expected = ['left', 'bad', 'right'].map((policy) => {
    const found = estimates?.find((each) => each.policy === policy);
    if (found === undefined) throw new Error(policy);
    const [ratio, low, high] = [found.expected, found.low, found.high].map((each) =>
      Math.exp(logCostOf(each)),
    );
    t.true((low as number) < (high as number), policy);
    return {
      policy,
      ratio,
      low,
      high,
      failures: policy === 'left' ? 0.25 : 0,
      against: policy === 'left' ? 'fails' : 'no better',
    };
  });
  const answer = answerFrom(question(unitOf(1, 0)), near, calibration);
  t.true(answer.abstained);
  const rounded = (rows: typeof answer.ranking) =>
    rows.map((row) => ({ ...row, failures: Math.round(row.failures * 1e9) / 1e9 }));
  t.deepEqual(rounded(answer.ranking) as unknown, expected);
  t.regex(answer.why, /^left looks best and failed 25 % of the trials nearby/);
});

test('in the middle of the arc, and far from it, the map abstains', (t) => {
  const examples = arcOfWorkloads(31);
  const calibration: Calibration = calibrationOf(examples);
  const middle = answerFrom(question(unitOf(1, 1)), neighboursOf(examples, 15), calibration);
  t.true(middle.abstained);
  t.is(middle.recommend, 'eevdf');
  t.regex(middle.why, /^no policy is surely better: /);
  const far = neighboursOf(examples, 0).map((each) => ({ ...each, distance: each.distance + 1 }));
  t.regex(
    answerFrom(question(unitOf(1, 0)), far, calibration).why,
    /the nearest situation \(w0\) is 1\.00 away; beyond 0\.\d+ the map knows nothing/,
  );
});

function question(vector: Float32Array) {
  return {
    vector: unitVector(vector, 2, 'test'),
    features: 'f',
    machine: SAMPLE_MACHINE,
    objective: 'primary',
  } as const;
}

/** Neighbours of example `at` as a map would give them. */
function neighboursOf(examples: readonly Example[], at: number) {
  const own = examples[at]?.vectors[0] as Float32Array;
  return examples
    .map(({ workload, variant, vectors, costs }) => ({
      machine: SAMPLE_MACHINE,
      workload,
      variant,
      point: 'quiescent' as const,
      distance: Math.hypot(...own.map((value, axis) => value - (vectors[0]?.[axis] as number))),
      policies: [...costs].map(([policy, { logCost = 0, trials, failures }]) => {
        const none = { n: 0, mean: 0, m2: 0 };
        return {
          policy,
          trials,
          failures,
          logCosts: { primary: { n: 2, mean: logCost, m2: 0.0004 }, time: none, tail: none, energy: none },
        };
      }),
    }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 24);
}
