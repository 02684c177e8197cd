// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../../harness/core/fork-point.ts';
import type { Counterfactual, Spec } from '../../harness/core/spec.ts';
import type { EngineName, PlannedTrial, TrialRecord, TrialState } from '../../harness/core/trial.ts';
import { median } from '../stats/median.ts';
import { type PairedRatio, pairedRatio } from '../stats/paired-ratio.ts';
import { type Verdict, verdict } from '../stats/verdict.ts';
import { type MetricChoice, metricValue, pickMetric } from './pick-metric.ts';
import { tableNotes } from './table-notes.ts';

/** All that a table is made of; the same input gives the same table. */
export interface TableInput {
  readonly run: string;
  readonly spec: Pick<
    Spec,
    'name' | 'policies' | 'workloads' | 'counterfactual' | 'points' | 'baseline' | 'machine'
  >;
  readonly planned: readonly PlannedTrial[];
  readonly records: readonly TrialRecord[];
  /** Name of the metric; each workload's primary one when absent. */
  readonly metric?: string;
}

/** One policy on one workload, from one point on. */
export interface OutcomeRow {
  readonly workload: string;
  readonly variant: string;
  readonly point: ForkPoint;
  readonly engine: EngineName;
  readonly policy: string;
  /**
   * `baseline`: what the others are compared with; `aa`: the baseline once more, so its ratio shows the noise.
   */
  readonly role: 'baseline' | 'aa' | 'measure';
  /**
   * Absent when no trial of the workload completed, or when the workload has no metric of the name asked for.
   */
  readonly metric?: MetricChoice;
  readonly median?: number;
  /** Absent on the baseline itself. */
  readonly ratio?: PairedRatio;
  readonly verdict?: Verdict;
  /**
   * Blocks in which both this policy and the baseline completed; for the baseline the blocks in which it did.
   */
  readonly n: number;
  readonly planned: number;
  readonly recorded: number;
  readonly failures: readonly FailureGroup[];
}

/** Trials of one row that ended in the same way for the same reason. */
export interface FailureGroup {
  /** Number of the footnote, from 1, in the order of the rows. */
  readonly note: number;
  readonly state: Exclude<TrialState, 'completed'>;
  readonly reason: string;
  readonly trials: readonly string[];
}

export interface OutcomeTable {
  readonly run: string;
  readonly name: string;
  readonly baseline: string;
  readonly engines: readonly EngineName[];
  readonly counterfactual: Counterfactual;
  readonly planned: number;
  readonly recorded: number;
  readonly rows: readonly OutcomeRow[];
  /** What a reader must know: engine, method, missing trials. */
  readonly notes: readonly string[];
}

interface Group {
  readonly workload: string;
  readonly variant: string;
  readonly point: ForkPoint;
  readonly engine: EngineName;
}

/**
 * The table of a run: every workload x every point x every policy of its spec, plus whatever else was recorded. No
 * policy is ever left out.
 */
export function outcomeTable(input: TableInput): OutcomeTable {
  const { spec, records, planned } = input;
  const recordedEngines = [...new Set(records.map((record) => record.engine))].sort();
  const engines = recordedEngines.length === 0 ? [spec.machine.engine] : recordedEngines;
  const recordedOn = new Map(records.map((record) => [record.trial, record.engine]));
  const engineOf = (trial: string) => recordedOn.get(trial) ?? spec.machine.engine;
  let notes = 0;
  const nextNote = () => ++notes;
  const rows = engines.flatMap((engine) =>
    workloadsOf(input).flatMap(({ workload, variant, point }) =>
      groupRows(input, { workload, variant, point, engine }, engineOf, nextNote),
    ),
  );
  const table = {
    run: input.run,
    name: spec.name,
    baseline: spec.baseline,
    engines,
    counterfactual: spec.counterfactual,
    planned: planned.length,
    recorded: records.length,
    rows,
  };
  return { ...table, notes: tableNotes(table) };
}

function groupRows(
  input: TableInput,
  group: Group,
  engineOf: (trial: string) => EngineName,
  nextNote: () => number,
): OutcomeRow[] {
  const records = input.records.filter(
    (record) => record.engine === group.engine && sameGroup(record, group),
  );
  const planned = input.planned.filter(
    (trial) => sameGroup(trial, group) && engineOf(trial.trial) === group.engine,
  );
  const metric = pickMetric(records, input.metric);
  const { baseline } = input.spec;
  const ofRow = (policy: string, role: OutcomeRow['role']) => {
    const wanted = role === 'aa' ? 'aa' : 'measure';
    const mine = (trial: PlannedTrial | TrialRecord) => trial.policy === policy && trial.role === wanted;
    return { records: records.filter(mine), planned: planned.filter(mine).length };
  };
  const baselineValues = valuesByBlock(ofRow(baseline, 'baseline').records, metric);

  return rowsOf(input).flatMap(({ policy, role }): OutcomeRow[] => {
    const own = ofRow(policy, role);
    // With several engines a row that this engine never saw belongs to another one.
    if (own.planned === 0 && own.records.length === 0) return [];
    const values = valuesByBlock(own.records, metric);
    const middle = median([...values.values()]);
    const ratio = role === 'baseline' ? undefined : pairedRatio(pairUp(values, baselineValues));
    const judged = ratio === undefined || metric === undefined ? undefined : verdict(ratio, metric.direction);
    return [
      {
        ...group,
        policy,
        role,
        ...(metric === undefined ? {} : { metric }),
        ...(middle === undefined ? {} : { median: middle }),
        ...(ratio === undefined ? {} : { ratio }),
        ...(judged === undefined ? {} : { verdict: judged }),
        n: ratio?.pairs ?? values.size,
        planned: own.planned,
        recorded: own.records.length,
        failures: failureGroups(own.records, nextNote),
      },
    ];
  });
}

function valuesByBlock(
  records: readonly TrialRecord[],
  metric: MetricChoice | undefined,
): Map<number, number> {
  const values = new Map<number, number>();
  if (metric === undefined) return values;
  for (const record of records) {
    const value = metricValue(record, metric.name);
    if (value !== undefined) values.set(record.block, value);
  }
  return values;
}

function pairUp(values: ReadonlyMap<number, number>, baselines: ReadonlyMap<number, number>) {
  // By block, so that sums do not depend on the order in which trials ended.
  const blocks = [...values.keys()].sort((a, b) => a - b);
  return blocks.flatMap((block) => {
    const baseline = baselines.get(block);
    return baseline === undefined ? [] : [{ value: values.get(block) as number, baseline }];
  });
}

function failureGroups(records: readonly TrialRecord[], nextNote: () => number): FailureGroup[] {
  const groups = new Map<string, { state: FailureGroup['state']; reason: string; trials: string[] }>();
  for (const record of records.toSorted((a, b) => (a.trial < b.trial ? -1 : 1))) {
    if (record.state === 'completed') continue;
    const key = JSON.stringify([record.state, record.reason]);
    const group = groups.get(key) ?? { state: record.state, reason: record.reason, trials: [] };
    groups.set(key, group);
    group.trials.push(record.trial);
  }
  return [...groups.values()].map((group) => ({ note: nextNote(), ...group }));
}

/** Workloads in the order of the spec, the points of each in its order, then any that only the records know. */
function workloadsOf({ spec, records }: TableInput): readonly OfGroup[] {
  const listed = spec.workloads.flatMap((use) => spec.points.map((point): OfGroup => ({ ...use, point })));
  const extra = records.toSorted((a, b) => (a.trial < b.trial ? -1 : 1));
  const unique = new Map<string, OfGroup>();
  for (const group of [...listed, ...extra]) {
    const key = JSON.stringify([group.workload, group.variant, group.point]);
    if (!unique.has(key)) unique.set(key, group);
  }
  return [...unique.values()];
}

/**
 * The baseline, its A/A control, then the policies in the order of the spec, then any that only the records
 * know.
 */
function rowsOf({ spec, records }: TableInput): readonly { policy: string; role: OutcomeRow['role'] }[] {
  const known = new Set([...spec.policies, ...records.map((record) => record.policy).sort()]);
  known.delete(spec.baseline);
  return [
    { policy: spec.baseline, role: 'baseline' },
    { policy: spec.baseline, role: 'aa' },
    ...[...known].map((policy) => ({ policy, role: 'measure' as const })),
  ];
}

type OfGroup = Pick<Group, 'workload' | 'variant' | 'point'>;

function sameGroup(a: OfGroup, b: OfGroup): boolean {
  return a.workload === b.workload && a.variant === b.variant && a.point === b.point;
}
