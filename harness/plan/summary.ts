// SPDX-License-Identifier: Apache-2.0
import type { Spec } from '../core/spec.ts';
import type { Workload } from '../core/workload.ts';
import type { Plan } from './plan.ts';

/** How much a plan is. */
export interface PlanSummary {
  readonly trials: number;
  readonly blocks: number;
  /**
   * Expected guest seconds of all workload runs, with each workload's default parameters: no boot, no warm-up. Known for
   * `exact` and `kvm` only.
   */
  readonly guestSeconds?: number;
}

/** Counts a plan, and adds up what its workloads say that they take. */
export function summarisePlan(spec: Spec, plan: Plan, workloads: ReadonlyMap<string, Workload>): PlanSummary {
  const counts = { trials: plan.trials.length, blocks: spec.seeds.count };
  const { engine } = spec.machine;
  if (engine !== 'exact' && engine !== 'kvm') return counts;
  let guestSeconds = 0;
  for (const { workload } of plan.trials) {
    const takes = workloads.get(workload)?.definition.takes_s[engine];
    if (takes === undefined) return counts;
    guestSeconds += takes;
  }
  return { ...counts, guestSeconds };
}

/** A summary in one line: `40 trials in 5 blocks, about 16 s of guest time on exact`. */
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
