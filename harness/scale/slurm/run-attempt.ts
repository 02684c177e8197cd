// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import type { Catalog } from '../../core/catalog.ts';
import type { PlannedTrial } from '../../core/trial.ts';
import type { Engine } from '../../lab/engine.ts';
import { runTrials } from '../../run/controller.ts';
import type { RunWatcher } from '../../run/events.ts';
import { makeFolder } from '../../store/atomic-write.ts';
import { addNodes, fingerprintOf, type NodeFacts } from '../../store/nodes.ts';
import type { Provenance } from '../../store/provenance.ts';
import { createRun, RUN_FILES } from '../../store/run-folder.ts';
import { attemptFolder } from './attempts.ts';
import type { TaskBasis, TaskId } from './task.ts';

export interface AttemptOptions {
  readonly trials: readonly PlannedTrial[];
  readonly engine: Engine;
  readonly catalog: Pick<Catalog, 'workloads' | 'policies'>;
  readonly node: NodeFacts;
  /** Where the attempt's records come from. */
  readonly provenance: Provenance;
  readonly signal: AbortSignal;
  readonly watch: RunWatcher;
}

/** Runs trials of a task of the run in `folder`, and records them in a run folder of this attempt's own. True when all are recorded. */
export async function runAttempt(
  folder: string,
  { name, task, restart }: TaskId,
  { spec, plan, jobs, provenance: whole }: TaskBasis,
  { trials, engine, catalog, node, provenance, signal, watch }: AttemptOptions,
): Promise<boolean> {
  const own = attemptFolder(folder, { job: name, task, restart });
  await makeFolder(dirname(own));
  const run = await createRun(own, { spec, plan: { digest: plan.digest, trials }, provenance });
  try {
    const fingerprint = fingerprintOf(node);
    await addNodes(own, { [fingerprint]: node });
    const { maxFailures: _, ...stop } = spec.stop;
    const end = await runTrials({
      run: whole.run,
      // How many failures are too many is counted over all tasks, by whoever watches the run.
      spec: { ...spec, stop },
      trials,
      catalog,
      engine,
      log: run.log,
      consoles: join(own, RUN_FILES.consoles),
      fingerprint,
      jobs: jobs.jobs,
      signal,
      watch,
    });
    return end === 'complete';
  } finally {
    await run.close();
  }
}
