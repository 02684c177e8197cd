// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { SAMPLE_MACHINE } from '../sample-evidence.ts';
import { unitVector } from '../vector.ts';
import { answerFrom } from './ask.ts';
import { calibrate, LEVEL, leaveWorkloadsOut } from './calibrate.ts';
import { type Calibration, calibrationOf, priorsFrom } from './calibration.ts';
import { centroidMethod, kMeans } from './centroid.ts';
import { chooseKnn, chosenKnn, KNN } from './choose-settings.ts';
import { decide } from './decide.ts';
import { knnEstimates } from './estimate.ts';
import { knnMethod } from './knn.ts';
import { ridgeMethod } from './ridge.ts';
import { arcOfWorkloads, sampleExample, sampleNoise, unitOf } from './sample-examples.ts';
import { costsOf, type Example, learntCost, logCostOf, priorsOf } from './training.ts';

const BAR = { upper: 1, lower: 1, atMost: 0, failures: 0.02 };

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
    const held = leaveWorkloadsOut(knnMethod(settings), examples);
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
  const { policy, ranking } = decide(estimates, { ...BAR, upper: 0 });
  t.is(policy, 'slow');
  t.is(ranking.find((each) => each.policy === 'fast')?.against, 'fails');
});

test('an interval that includes "no better" recommends nothing', (t) => {
  const sure = { policy: 'a', expected: -0.2, deviation: 0.1, failures: 0 };
  t.is(decide([sure], BAR).policy, 'a');
  const { policy, ranking } = decide([{ ...sure, deviation: 0.3 }], BAR);
  t.is(policy, undefined);
  t.is(ranking[0]?.against, 'no better');
});

test('each method sees which end of the arc a workload is at, and the best single policy does not', (t) => {
  const examples = arcOfWorkloads(20);
  for (const method of [knnMethod({ k: 3, bandwidth: 0.4 }), ridgeMethod(0.1), centroidMethod(4)]) {
    const held = leaveWorkloadsOut(method, examples);
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
  const bar = calibrate(leaveWorkloadsOut(method, examples.slice(0, 200)));
  const fitted = method.fit(examples.slice(0, 200));
  const inside = examples.slice(200).filter((example) => {
    const best = [...fitted.estimates(example.vectors[0] as Float32Array)].sort(
      (a, b) => a.expected - b.expected,
    )[0];
    if (best === undefined || bar === undefined) return false;
    const real = learntCost(example.costs.get(best.policy)?.logCost ?? 9);
    return real <= best.expected + bar.upper * best.deviation;
  });
  const share = inside.length / 200;
  t.true(Math.abs(share - LEVEL) < 0.07, String(share));
});

test('too few situations calibrate nothing, and then nothing is recommended', (t) => {
  const calibration = calibrationOf(arcOfWorkloads(4));
  t.is(calibration.upper, undefined);
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
  t.is(answer.neighbours.length, 3);
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
  const costs = near.map((each) => ({ distance: each.distance, costs: costsOf(each, 'primary') }));
  const estimates = knnEstimates(costs, priorsFrom(calibration), calibration.knn);
  const { upper = 0, lower = 0 } = calibration;
  const expected = ['left', 'bad', 'right'].map((policy) => {
    const found = estimates.find((each) => each.policy === policy);
    if (found === undefined) throw new Error(policy);
    const ratio = (deviations: number) => Math.exp(logCostOf(found.expected + deviations * found.deviation));
    return {
      policy,
      ratio: ratio(0),
      low: ratio(-lower),
      high: ratio(upper),
      failures: policy === 'left' ? 0.25 : 0,
      against: policy === 'left' ? 'fails' : 'no better',
    };
  });
  const answer = answerFrom(question(unitOf(1, 0)), near, calibration);
  t.true(answer.abstained);
  const rounded = (rows: typeof answer.ranking) =>
    rows.map((row) => ({ ...row, failures: Math.round(row.failures * 1e9) / 1e9 }));
  t.deepEqual(rounded(answer.ranking), expected);
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
    .slice(0, KNN.k);
}
