// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../core/spec.ts';
import type { ParameterValues, Workload, WorkloadDefinition } from '../core/workload.ts';
import type { Plan } from './plan.ts';

/** How much a plan is. */
export interface PlanSummary {
  readonly trials: number;
  readonly blocks: number;
  /**
   * Expected guest seconds of all workload runs: no boot, no warm-up. Absent unless every workload has the parameters, and the machine the
   * CPUs and speed, for which its time was measured; nothing is known of how another changes it.
   */
  readonly guestSeconds?: number;
}

/** The machine that `takes_s` of every workload was measured on. */
const MEASURED_ON = { vcpus: 4, speed: 250 } as const;

/** Counts a plan, and adds up what its workloads say that they take. */
export function summarisePlan(spec: Spec, plan: Plan, workloads: ReadonlyMap<string, Workload>): PlanSummary {
  const counts = { trials: plan.trials.length, blocks: spec.seeds.count };
  const { engine, vcpus, speed } = spec.machine;
  if (engine !== 'exact' && engine !== 'kvm') return counts;
  if (vcpus !== MEASURED_ON.vcpus || (engine === 'exact' && speed !== MEASURED_ON.speed)) return counts;
  let guestSeconds = 0;
  for (const { workload, params } of plan.trials) {
    const definition = workloads.get(workload)?.definition;
    if (definition === undefined || !areUsual(params, definition, engine)) return counts;
    guestSeconds += definition.takes_s[engine];
  }
  return { ...counts, guestSeconds };
}

/** Whether these are the parameters that a workload has on an engine when none is given. */
function areUsual(params: ParameterValues, definition: WorkloadDefinition, engine: 'exact' | 'kvm'): boolean {
  return Object.entries(definition.params).every(([name, parameter]) => {
    const usual = (engine === 'kvm' ? definition.kvm[name] : undefined) ?? parameter.default;
    // A file's value has the digest of its content behind it.
    const value = parameter.type === 'file' ? String(params[name]).replace(/@[0-9a-f]+$/, '') : params[name];
    return value === usual;
  });
}

/** A summary in one line: `40 trials in 5 blocks, about 16 s of guest time in workloads on exact`, without the time where it is not known. */
export function formatSummary({ trials, blocks, guestSeconds }: PlanSummary, engine: string): string {
  const counts = `${counted(trials, 'trial')} in ${counted(blocks, 'block')}`;
  if (guestSeconds === undefined) return `${counts}, on ${engine}`;
  return `${counts}, about ${duration(guestSeconds)} of guest time in workloads on ${engine}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
