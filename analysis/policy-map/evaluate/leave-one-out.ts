// SPDX-License-Identifier: Apache-2.0
import { type Bounded, bestOf, crossFit, withIntervals } from '../choose/calibrate.ts';
import { decide } from '../choose/decide.ts';
import { meanVector } from '../choose/mean-vector.ts';
import type { Method } from '../choose/method.ts';
import { type Example, logCostOf } from '../choose/training.ts';
import type { Pick } from './judge-picks.ts';

/**
 * Picks for every situation by a method that has never seen its workload: not its costs, neither when its settings were chosen nor when
 * intervals were calibrated, both of which is done by leaving out workload after workload of the rest.
 * `bold`: takes the best estimate without asking whether it is certain.
 */
export function pickHeldOut(method: Method, examples: readonly Example[], bold = false): Pick[] {
  const workloads = [...new Set(examples.map(({ workload }) => workload))];
  return workloads.flatMap((workload) => {
    const others = examples.filter((example) => example.workload !== workload);
    const folds = bold ? [] : crossFit(method, others);
    const fitted = (method.chosenOn?.(others) ?? method).fit(others);
    return examples
      .filter((example) => example.workload === workload)
      .map((example): Pick => {
        const vector = meanVector(example.vectors);
        const estimates = fitted.estimates(vector);
        if (bold) return pickOf(example, bestOf(estimates)?.policy);
        const bounded = withIntervals(
          estimates,
          folds.map(({ scores, fitted: own }) => ({ scores, estimates: own.estimates(vector) })),
        );
        // Without a calibration nothing can be recommended.
        if (bounded === undefined) return { example };
        return { ...pickOf(example, decide(bounded).policy), ...promiseOf(example, bounded) };
      });
  });
}

function pickOf(example: Example, policy: string | undefined): Pick {
  return { example, ...(policy === undefined ? {} : { policy }) };
}

/** Whether the interval of the best estimate, recommended or not, held; nothing where that policy was not measured. */
function promiseOf(example: Example, bounded: readonly Bounded[]): { readonly held?: boolean } {
  const best = bestOf(bounded);
  const real = best && example.costs.get(best.policy)?.logCost;
  return best === undefined || real === undefined ? {} : { held: real <= logCostOf(best.high) };
}
