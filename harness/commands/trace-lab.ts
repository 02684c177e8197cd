// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Spec } from '../core/spec.ts';
import type { PlannedTrial } from '../core/trial.ts';
import { convert } from '../trace/convert.ts';
import { figuresOf } from '../trace/figures.ts';
import { type RecordedTrial, recordTrial } from '../trace/record-trial.ts';
import type { Trace } from '../trace/trace.ts';
import type { CommandContext } from './context.ts';
import { type Lab, openLab } from './open-lab.ts';

/** The lab of a trial that is recorded. A fork of a quiescent machine is its boot, so a snapshot is used where there is one. */
export async function openTraceLab(spec: Spec, planned: PlannedTrial, context: CommandContext): Promise<Lab> {
  return openLab(spec, [planned], await context.catalog(), context);
}

/** Records a trial; its consoles are removed when all went well. */
export async function recordInLab(
  lab: Lab,
  spec: Spec,
  planned: PlannedTrial,
  context: CommandContext,
): Promise<RecordedTrial> {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-trace-'));
  const recorded = await recordTrial(planned, {
    engine: lab.engine,
    machine: spec.machine,
    catalog: await context.catalog(),
    folder,
    signal: context.signal,
  });
  await rm(folder, { recursive: true, force: true });
  return recorded;
}

/** What a recorded trial is as a trace. */
export function traceOf({ recording, command }: RecordedTrial, planned: PlannedTrial, lab: Lab): Trace {
  const tasks = convert(recording);
  return {
    origin: {
      ...{ kernel: recording.kernel, cpus: recording.cpus, command, engine: lab.engine.name },
      ...(lab.image.id === undefined ? {} : { image: lab.image.id }),
      ...{ workload: planned.workload, variant: planned.variant, policy: planned.policy, seed: planned.seed },
    },
    figures: figuresOf(tasks, recording.lost),
    tasks: tasks.map(({ name, operations }) => ({ name, operations })),
  };
}
