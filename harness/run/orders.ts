// SPDX-License-Identifier: Apache-2.0
import { commandFor } from '../core/command.ts';
import type { Policy } from '../core/policy.ts';
import type { PlannedTrial } from '../core/trial.ts';
import type { Workload } from '../core/workload.ts';
import type { Orders } from '../lab/engine.ts';

/** What the guest of a planned trial is told. The same plan gives the same orders. */
export function ordersFor(planned: PlannedTrial, workload: Workload, policy: Policy): Orders {
  const command = commandFor(workload, planned.params, planned.seed);
  return {
    trial: planned.trial,
    seed: planned.seed,
    policy: { id: policy.id, definition: policy.definition },
    ...(command.warmup === undefined ? {} : { warmup: command.warmup }),
    run: command.run,
    deadlineMs: Math.round(workload.definition.deadline_s * 1000),
  };
}
