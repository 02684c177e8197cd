// SPDX-License-Identifier: Apache-2.0
import { ExitCode, PmvxError } from '../core/errors.ts';
import type { PlannedTrial } from '../core/trial.ts';
import { blockSeeds } from '../plan/block-seeds.ts';
import { requireSameRun } from '../run/same-run.ts';
import { runAttempt } from '../scale/slurm/run-attempt.ts';
import {
  readTaskBasis,
  type TaskBasis,
  type TaskId,
  taskId,
  trialsOfTask,
  trialsToCheck,
} from '../scale/slurm/task.ts';
import { ownNode } from '../store/nodes.ts';
import { collectProvenance } from '../store/provenance.ts';
import type { CommandContext } from './context.ts';
import type { Lab } from './open-lab.ts';
import { definitionsDigest } from './run-basis.ts';
import { openTaskLab, prepareNodes } from './slurm-cargo.ts';

/** `pmvx slurm task RUN`: what Slurm starts on a node. Ends with 0 when all trials of the task are recorded, however they ended. */
export async function slurmTaskCommand(folder: string, context: CommandContext): Promise<ExitCode> {
  const id = taskId(context.env);
  const basis = await readTaskBasis(folder, id);
  const node = await ownNode();
  context.write(
    `${new Date().toISOString()} ${id.name} task ${id.task}, restart ${id.restart}, on ${node.name}`,
  );
  if (basis.job.kind === 'prepare') {
    await prepareNodes(folder, basis, context);
    return ExitCode.ok;
  }
  const trials =
    basis.job.kind === 'check'
      ? await trialsToCheck(folder, basis, id, node.name)
      : await trialsOfTask(folder, basis, id);
  if (trials === undefined || trials.length === 0) {
    context.write(trials === undefined ? 'nothing that another node has recorded whole' : 'all is recorded');
    return ExitCode.ok;
  }
  const lab = await openTaskLab(basis, trials, context);
  await requireSameLab(folder, basis, lab, context);
  return runTask(folder, id, basis, trials, lab, context);
}

/** What is about to run must be what was handed in. */
async function requireSameLab(
  folder: string,
  { spec, plan, provenance }: TaskBasis,
  lab: Lab,
  context: CommandContext,
): Promise<void> {
  const definitions = definitionsDigest(spec, await context.catalog());
  const was = { spec, plan, image: provenance.image.digests, definitions: provenance.definitions };
  requireSameRun(folder, was, { spec, plan, image: lab.image.digests, definitions });
}

async function runTask(
  folder: string,
  id: TaskId,
  basis: TaskBasis,
  trials: readonly PlannedTrial[],
  lab: Lab,
  context: CommandContext,
): Promise<ExitCode> {
  const { spec, provenance: whole } = basis;
  const provenance = await collectProvenance({
    run: whole.run,
    root: context.root,
    engine: spec.machine.engine,
    image: lab.image,
    ...(whole.definitions === undefined ? {} : { definitions: whole.definitions }),
    seeds: { ...spec.seeds, blocks: blockSeeds({ trials }) },
    createdAt: new Date(),
  });
  const all = await runAttempt(folder, id, basis, {
    trials,
    engine: lab.engine,
    catalog: await context.catalog(),
    node: await ownNode(),
    provenance,
    signal: context.signal,
    watch: (event) => {
      if (event.kind === 'recorded') context.write(`${event.record.trial} ${event.record.state}`);
      if (event.kind === 'lost') context.write(`${event.planned.trial} VM lost: ${event.cause}; once more`);
    },
  });
  if (all) return ExitCode.ok;
  context.signal.throwIfAborted();
  throw new PmvxError(ExitCode.failure, {
    what: `not all of ${trials.length} trials are recorded, and nobody stopped this task`,
  });
}
