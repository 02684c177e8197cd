// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../../harness/core/fork-point.ts';
import type { EngineName, PlannedTrial, TrialRecord } from '../../harness/core/trial.ts';
import { KeyTree } from './key-tree.ts';
import type { TableInput } from './outcome-types.ts';

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
  readonly byPolicy: KeyTree<PolicyTrials>;
}

export interface PolicyTrials {
  readonly records: TrialRecord[];
  planned: number;
}

/** Trials of any group; one that has none is empty. */
export type GroupedTrials = (group: Group) => GroupTrials;

/** Trials by group, in one pass over each list: a run may have a million. */
export function groupTrials({ spec, planned, records }: TableInput): GroupedTrials {
  const groups = new KeyTree<GroupTrials>(() => ({
    records: [],
    byPolicy: new KeyTree<PolicyTrials>(() => ({ records: [], planned: 0 })),
  }));
  const groupOf = ({ workload, variant, point }: PlannedTrial | TrialRecord, engine: EngineName) =>
    groups.at(workload, variant, point, engine);
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
  return ({ workload, variant, point, engine }) => groups.at(workload, variant, point, engine);
}

/** Those of a policy as planned, or of its null control. */
export function trialsOf(group: GroupTrials, policy: string, role: 'measure' | 'aa'): PolicyTrials {
  return group.byPolicy.at(policy, role);
}

/** Workloads in the order of the spec, the points of each in its order, then any that only the records know. */
export function groupsOf({ spec, records }: TableInput): readonly Omit<Group, 'engine'>[] {
  const groups: Omit<Group, 'engine'>[] = [];
  const marks = new KeyTree(() => ({ known: false }));
  const markOf = ({ workload, variant, point }: Omit<Group, 'engine'>) => marks.at(workload, variant, point);
  const add = (group: Omit<Group, 'engine'>) => {
    const mark = markOf(group);
    if (mark.known) return;
    mark.known = true;
    groups.push({ workload: group.workload, variant: group.variant, point: group.point });
  };
  for (const { workload, variant } of spec.workloads) {
    for (const point of spec.points) add({ workload, variant, point });
  }
  const extra = records.filter((record) => !markOf(record).known);
  for (const record of extra.sort((a, b) => (a.trial < b.trial ? -1 : 1))) add(record);
  return groups;
}
