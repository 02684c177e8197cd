// SPDX-License-Identifier: Apache-2.0
import { meanVector } from './mean-vector.ts';
import type { FittedMethod, Method } from './method.ts';
import { type Example, learntCost, priorsOf } from './training.ts';

/**
 * A ridge regression for each policy of its learnt cost on the vector (Hoerl and Kennard, Technometrics 12 (1970) 55-67), in its dual
 * form, because there are fewer situations than features. The deviation is that of the residuals when each situation is left
 * out, which has a closed form (Allen's PRESS, 1974).
 */
export function ridgeMethod(penalty: number): Method {
  return {
    name: `ridge penalty=${penalty}`,
    fit(examples): FittedMethod {
      const priors = priorsOf(examples);
      const models = [...priors].map(([policy, prior]) => ({
        policy,
        prior,
        ...fitOne(examples, policy, prior.mean, penalty),
      }));
      return {
        estimates: (vector) =>
          models.map(({ policy, prior, inputs, weights, deviation, failures }) => {
            let expected = prior.mean;
            inputs.forEach((input, row) => {
              expected += (weights[row] as number) * dot(input, vector);
            });
            return { policy, expected, deviation: Math.max(deviation, 1e-3), failures };
          }),
      };
    },
  };
}

function fitOne(examples: readonly Example[], policy: string, mean: number, penalty: number) {
  const rows = examples.flatMap(({ vectors, costs }) => {
    const logCost = costs.get(policy)?.logCost;
    return logCost === undefined ? [] : [{ input: meanVector(vectors), target: learntCost(logCost) - mean }];
  });
  const all = examples.flatMap(({ costs }) => costs.get(policy) ?? []);
  const trials = all.reduce((sum, cost) => sum + cost.trials, 0);
  const failures = all.reduce((sum, cost) => sum + cost.failures, 0) / Math.max(1, trials);
  const inverse = invert(
    rows.map(({ input }, row) =>
      rows.map((other, column) => dot(input, other.input) + (row === column ? penalty : 0)),
    ),
  );
  const weights = inverse.map((line) =>
    line.reduce((sum, value, at) => sum + value * (rows[at]?.target as number), 0),
  );
  // The residual of situation i when it is left out is weight_i / inverse_ii.
  const left = weights.map((weight, at) => weight / (inverse[at]?.[at] as number));
  const deviation = Math.sqrt(left.reduce((sum, each) => sum + each * each, 0) / Math.max(1, left.length));
  return { inputs: rows.map(({ input }) => input), weights, deviation, failures };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

/** Inverse of a symmetric positive definite matrix by Gauss-Jordan; a penalty makes it one, so no pivoting is needed. */
function invert(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const work = matrix.map((line, row) => [
    ...line,
    ...Array.from({ length: n }, (_, at) => (at === row ? 1 : 0)),
  ]);
  for (let pivot = 0; pivot < n; pivot++) {
    const line = work[pivot] as number[];
    const scale = line[pivot] as number;
    for (let at = 0; at < 2 * n; at++) line[at] = (line[at] as number) / scale;
    for (let row = 0; row < n; row++) {
      if (row === pivot) continue;
      const other = work[row] as number[];
      const factor = other[pivot] as number;
      if (factor === 0) continue;
      for (let at = 0; at < 2 * n; at++) other[at] = (other[at] as number) - factor * (line[at] as number);
    }
  }
  return work.map((line) => line.slice(n));
}
