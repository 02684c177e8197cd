// SPDX-License-Identifier: Apache-2.0

import { candidatesOf, modulesOf } from '../core/candidates.ts';
import { commandFor } from '../core/command.ts';
import { readNamedFile } from '../core/file-parameter.ts';
import { forkPointMs } from '../core/fork-point.ts';
import type { Policy } from '../core/policy.ts';
import type { Probes } from '../core/spec.ts';
import type { EngineName, PlannedTrial } from '../core/trial.ts';
import { type Workload, warmSeconds } from '../core/workload.ts';
import type { Orders } from '../lab/engine.ts';
import { watchedSettings } from './watched-settings.ts';

/**
 * What the guest of a planned trial is told. The same plan gives the same orders. `policies` are those of the whole
 * experiment: what any of them needs is prepared before the choice. `engine` says whose `warm_s` is meant.
 */
export function ordersFor(
  planned: PlannedTrial,
  workload: Workload,
  policy: Policy,
  policies: readonly Policy[] = [],
  engine: EngineName = 'exact',
  probes?: Probes,
): Orders {
  const modules = modulesOf(policies);
  const watch = watchedSettings(policies.map(({ definition }) => definition));
  const command = commandFor(workload, planned.params, planned.seed);
  const forkAtMs = forkPointMs(planned.point, warmSeconds(workload.definition, engine));
  return {
    trial: planned.trial,
    seed: planned.seed,
    policy: { id: policy.id, definition: policy.definition },
    candidates: candidatesOf(policies).map(({ id, definition }) => ({ id, definition })),
    ...(probes === undefined ? {} : { probes }),
    ...(modules.length === 0 ? {} : { modules }),
    ...(command.warmup === undefined ? {} : { warmup: command.warmup }),
    run: command.run,
    ...(command.files === undefined
      ? {}
      : { files: command.files.map(({ path, value }) => ({ path, content: readNamedFile(value) })) }),
    deadlineMs: Math.round(workload.definition.deadline_s * 1000),
    ...(forkAtMs === undefined ? {} : { forkAtMs }),
    ...(watch.length === 0 ? {} : { watch }),
  };
}
