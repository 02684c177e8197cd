// SPDX-License-Identifier: Apache-2.0
import { calibrate, FAILURES, leaveWorkloadsOut } from '../choose/calibrate.ts';
import { decide } from '../choose/decide.ts';
import { meanVector } from '../choose/mean-vector.ts';
import type { Method } from '../choose/method.ts';
import type { Example } from '../choose/training.ts';
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
    const own = method.chosenOn?.(others) ?? method;
    const bar = bold
      ? { upper: 0, lower: 0, atMost: Number.POSITIVE_INFINITY, failures: FAILURES }
      : calibrate(leaveWorkloadsOut(own, others));
    const fitted = own.fit(others);
    return examples
      .filter((example) => example.workload === workload)
      .map((example): Pick => {
        // Without a calibration nothing can be recommended.
        if (bar === undefined) return { example };
        const { policy } = decide(fitted.estimates(meanVector(example.vectors)), bar);
        return { example, ...(policy === undefined ? {} : { policy }) };
      });
  });
}
