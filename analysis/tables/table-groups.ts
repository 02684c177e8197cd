// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../../harness/core/fork-point.ts';
import type { EngineName, PlannedTrial, TrialRecord } from '../../harness/core/trial.ts';
import type { TableInput } from './outcome-table.ts';

/** What is compared with each other: a workload with its parameters, from one point on, on one engine. */
export interface Group {
  readonly workload: string;
  readonly variant: string;
  readonly point: ForkPoint;
  readonly engine: EngineName;
}

/** Trials of one group, by policy and role. */
export interface GroupTrials {
  readonly records: TrialRecord[];
  readonly byPolicy: Map<string, PolicyTrials>;
}

export interface PolicyTrials {
  readonly records: TrialRecord[];
  planned: number;
}

/** Trials by group, in one pass over each list: a run may have a million. */
export function groupTrials({ spec, planned, records }: TableInput): (group: Group) => GroupTrials {
  const groups = new Map<string, GroupTrials>();
  const groupOf = (trial: PlannedTrial | TrialRecord, engine: EngineName): GroupTrials => {
    const key = keyOf(trial.workload, trial.variant, trial.point, engine);
    const group = groups.get(key) ?? { records: [], byPolicy: new Map() };
    groups.set(key, group);
    return group;
  };
  const recordedOn = new Map<string, EngineName>();
  for (const record of records) {
    recordedOn.set(record.trial, record.engine);
    const group = groupOf(record, record.engine);
    group.records.push(record);
    trialsOf(group, record.policy, record.role).records.push(record);
  }
  for (const trial of planned) {
    const group = groupOf(trial, recordedOn.get(trial.trial) ?? spec.machine.engine);
    trialsOf(group, trial.policy, trial.role).planned++;
  }
  return ({ workload, variant, point, engine }) =>
    groups.get(keyOf(workload, variant, point, engine)) ?? { records: [], byPolicy: new Map() };
}

/** Those of a policy as planned, or of its null control. */
export function trialsOf(group: GroupTrials, policy: string, role: 'measure' | 'aa'): PolicyTrials {
  const key = keyOf(policy, role);
  const trials = group.byPolicy.get(key) ?? { records: [], planned: 0 };
  group.byPolicy.set(key, trials);
  return trials;
}

/** Workloads in the order of the spec, the points of each in its order, then any that only the records know. */
export function groupsOf({ spec, records }: TableInput): readonly Omit<Group, 'engine'>[] {
  const known = new Map<string, Omit<Group, 'engine'>>();
  const add = ({ workload, variant, point }: Omit<Group, 'engine'>) => {
    const key = keyOf(workload, variant, point);
    if (!known.has(key)) known.set(key, { workload, variant, point });
  };
  for (const { workload, variant } of spec.workloads) {
    for (const point of spec.points) add({ workload, variant, point });
  }
  const extra = records.filter(({ workload, variant, point }) => !known.has(keyOf(workload, variant, point)));
  for (const record of extra.sort((a, b) => (a.trial < b.trial ? -1 : 1))) add(record);
  return [...known.values()];
}

function keyOf(...parts: readonly string[]): string {
  return parts.join('\u0000');
}
