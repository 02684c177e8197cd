// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../../core/spec.ts';
import type { PlannedTrial } from '../../core/trial.ts';
import { isDeterministic } from '../merge/same-result.ts';

/** What one task of a job array runs whole: a block, or on request one workload of a block. */
export interface Unit {
  readonly block: number;
  /** Place of the workload in the spec; absent for all of them. */
  readonly use?: number;
}

/** The unit that a trial is of. */
export function unitOf(
  trial: Pick<PlannedTrial, 'block' | 'workload' | 'variant'>,
  spec: Pick<Spec, 'workloads'>,
  split: boolean,
): Unit {
  if (!split) return { block: trial.block };
  const use = spec.workloads.findIndex(
    ({ workload, variant }) => workload === trial.workload && variant === trial.variant,
  );
  return { block: trial.block, use };
}

/** Whether a trial is of a unit. */
export function isOf(
  trial: Pick<PlannedTrial, 'block' | 'workload' | 'variant'>,
  unit: Unit,
  spec: Pick<Spec, 'workloads'>,
): boolean {
  if (trial.block !== unit.block) return false;
  if (unit.use === undefined) return true;
  const use = spec.workloads[unit.use];
  return use?.workload === trial.workload && use.variant === trial.variant;
}

/**
 * Whether the workloads of a block may run on different hosts: only where no host has a part in a result. In real time the whole block
 * stays together, because tables take a block for what one host did.
 */
export function maySplit(spec: Pick<Spec, 'machine'>): boolean {
  return isDeterministic(spec.machine.engine);
}

/** The units of trials, each once, in the order in which they come. */
export function unitsOf(
  trials: readonly PlannedTrial[],
  spec: Pick<Spec, 'workloads'>,
  split: boolean,
): Unit[] {
  const units = new Map<string, Unit>();
  for (const trial of trials) {
    const unit = unitOf(trial, spec, split);
    units.set(`${unit.block} ${unit.use ?? ''}`, unit);
  }
  return [...units.values()];
}

/** Units dealt out to at most `most` tasks in turn, so that early blocks end early and tasks differ by one unit at most. */
export function dealUnits(units: readonly Unit[], most: number): Unit[][] {
  const tasks = Array.from({ length: Math.min(most, units.length) }, (): Unit[] => []);
  for (const [at, unit] of units.entries()) tasks[at % tasks.length]?.push(unit);
  return tasks;
}
