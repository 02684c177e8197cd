// SPDX-License-Identifier: Apache-2.0
import { looksOf } from '../../harness/core/looks.ts';
import type { Counterfactual, Spec } from '../../harness/core/spec.ts';
import type { EngineName, PlannedTrial, TrialRecord, TrialState } from '../../harness/core/trial.ts';
import { benjaminiHochberg, holm } from '../stats/adjust.ts';
import { median } from '../stats/median.ts';
import { noiseFloor } from '../stats/noise-floor.ts';
import { LEVEL, type PairedRatio, pairedRatio } from '../stats/paired-ratio.ts';
import { MARGIN, type Verdict, verdict } from '../stats/verdict.ts';
import { type BlockPair, type CellStatistics, cellStatistics } from './cell-statistics.ts';
import { type MetricChoice, metricValue, pickMetric } from './pick-metric.ts';
import { rankRows } from './rank.ts';
import { type Group, groupsOf, groupTrials, trialsOf } from './table-groups.ts';
import { tableNotes } from './table-notes.ts';

/** All that a table is made of; the same input gives the same table. */
export interface TableInput {
  readonly run: string;
  readonly spec: Pick<
    Spec,
    | 'name'
    | 'policies'
    | 'workloads'
    | 'counterfactual'
    | 'points'
    | 'baseline'
    | 'machine'
    | 'seeds'
    | 'stop'
  >;
  readonly planned: readonly PlannedTrial[];
  readonly records: readonly TrialRecord[];
  /** Name of the metric; each workload's primary one when absent. */
  readonly metric?: string;
  /** Where each block ran, when blocks are of several hosts or labs; all of one when absent. */
  readonly hosts?: ReadonlyMap<number, string>;
  /** What a reader must know besides about where the trials are from. */
  readonly remarks?: readonly string[];
  /** Leaves out all that is drawn at random: ratios, intervals and verdicts alone take a fraction of the time. */
  readonly onlyRatios?: boolean;
  /** Ratios from 1 / margin to margin are equivalent; 1.02 when absent. */
  readonly margin?: number;
}

/** One policy on one workload, from one point on. */
export interface OutcomeRow extends Group {
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
  /** Absent wherever the ratio has no interval. */
  readonly statistics?: CellStatistics;
  /** p of sign flips and of the t test, adjusted over all measured cells of the table; absent on A/A controls. */
  readonly adjusted?: AdjustedP;
  /** Of the workload, from its A/A control: ratios from 1 / floor to floor are noise. */
  readonly floor?: number;
  readonly verdict?: Verdict;
  /** 1 is the best among policies whose every trial completed, the baseline among them. */
  readonly rank?: number;
  /**
   * Blocks in which both this policy and the baseline completed; for the baseline the blocks in which it did.
   */
  readonly n: number;
  /** Hosts or labs that the recorded trials are from; absent without any. */
  readonly hosts?: number;
  readonly planned: number;
  readonly recorded: number;
  readonly failures: readonly FailureGroup[];
}

export interface AdjustedP {
  /** Holm. */
  readonly holm: number;
  /** Benjamini and Hochberg. */
  readonly bh: number;
  /** Holm over the t tests; absent where there is no spread. */
  readonly tHolm?: number;
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
  readonly margin: number;
  /** Times at which the run looked whether to stop; intervals hold over all of them. */
  readonly looks: number;
  readonly planned: number;
  readonly recorded: number;
  readonly rows: readonly OutcomeRow[];
  /** What a reader must know: engine, method, missing trials. */
  readonly notes: readonly string[];
}

/**
 * The table of a run: every workload x every point x every policy of its spec, plus whatever else was recorded. No
 * policy is ever left out.
 */
export function outcomeTable(input: TableInput): OutcomeTable {
  const { spec, records, planned, margin = MARGIN } = input;
  const recordedEngines = [...new Set(records.map((record) => record.engine))].sort();
  const engines = recordedEngines.length === 0 ? [spec.machine.engine] : recordedEngines;
  const looks = looksOf(spec).length;
  // Bonferroni over looks: whichever it stopped at, 95 % of its intervals hold.
  const level = 1 - (1 - LEVEL) / looks;
  const trials = groupTrials(input);
  const roles = rolesOf(input);
  let notes = 0;
  const nextNote = () => ++notes;
  const rows = engines.flatMap((engine) =>
    groupsOf(input).flatMap((place) => {
      const group = { ...place, engine };
      return rankRows(groupRows({ ...input, margin, level }, group, trials(group), roles, nextNote));
    }),
  );
  const table = {
    run: input.run,
    name: spec.name,
    baseline: spec.baseline,
    engines,
    counterfactual: spec.counterfactual,
    margin,
    looks,
    planned: planned.length,
    recorded: records.length,
    rows: withAdjusted(rows),
  };
  return { ...table, notes: [...(input.remarks ?? []), ...tableNotes(table)] };
}

function groupRows(
  {
    spec: { baseline },
    metric: wanted,
    margin,
    hosts,
    level,
    onlyRatios,
  }: TableInput & { readonly margin: number; readonly level: number },
  group: Group,
  trials: ReturnType<ReturnType<typeof groupTrials>>,
  roles: ReturnType<typeof rolesOf>,
  nextNote: () => number,
): OutcomeRow[] {
  const metric = pickMetric(trials.records, wanted);
  const valuesOf = (policy: string, role: 'measure' | 'aa') =>
    valuesByBlock(trialsOf(trials, policy, role).records, metric);
  const baselineValues = valuesOf(baseline, 'measure');
  const control = pairUp(valuesOf(baseline, 'aa'), baselineValues, hosts);
  const floor = noiseFloor(pairedRatio(control, level));

  return roles.flatMap(({ policy, role }): OutcomeRow[] => {
    const own = trialsOf(trials, policy, role === 'aa' ? 'aa' : 'measure');
    // With several engines a row that this engine never saw belongs to another one.
    if (own.planned === 0 && own.records.length === 0) return [];
    const values = valuesByBlock(own.records, metric);
    const middle = median([...values.values()]);
    const pairs = role === 'baseline' ? undefined : pairUp(values, baselineValues, hosts);
    const ratio = pairs && pairedRatio(pairs, level);
    const statistics =
      pairs &&
      onlyRatios !== true &&
      cellStatistics(pairs, [...Object.values(group), policy, role, metric?.name ?? ''], floor, level);
    const judged = ratio && metric && verdict(ratio, { direction: metric.direction, margin, floor });
    return [
      {
        ...group,
        policy,
        role,
        ...(metric === undefined ? {} : { metric }),
        ...(middle === undefined ? {} : { median: middle }),
        ...(ratio === undefined ? {} : { ratio }),
        ...(statistics ? { statistics } : {}),
        ...(floor === undefined ? {} : { floor }),
        ...(judged === undefined ? {} : { verdict: judged }),
        n: ratio?.pairs ?? values.size,
        ...(own.records.length === 0 ? {} : { hosts: countHosts(own.records, hosts) }),
        planned: own.planned,
        recorded: own.records.length,
        failures: failureGroups(own.records, nextNote),
      },
    ];
  });
}

function countHosts(records: readonly TrialRecord[], hosts: TableInput['hosts']): number {
  return hosts === undefined ? 1 : new Set(records.map(({ block }) => hosts.get(block))).size;
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

function pairUp(
  values: ReadonlyMap<number, number>,
  baselines: ReadonlyMap<number, number>,
  hosts: TableInput['hosts'],
): BlockPair[] {
  // By block, so that sums do not depend on the order in which trials ended.
  const blocks = [...values.keys()].sort((a, b) => a - b);
  return blocks.flatMap((block) => {
    const baseline = baselines.get(block);
    if (baseline === undefined) return [];
    return [{ block, value: values.get(block) as number, baseline, host: hosts?.get(block) }];
  });
}

/** Adjusts over the whole matrix: every measured cell that was tested, whatever came of it. */
function withAdjusted(rows: readonly OutcomeRow[]): OutcomeRow[] {
  const measured = rows.filter(({ role }) => role === 'measure');
  const flips = adjustedOver(measured, ({ statistics }) => statistics?.p, holm);
  const shares = adjustedOver(measured, ({ statistics }) => statistics?.p, benjaminiHochberg);
  const student = adjustedOver(
    measured,
    ({ ratio }) => (ratio?.kind === 'interval' ? ratio.p : undefined),
    holm,
  );
  return rows.map((row) => {
    const [byHolm, bh, tHolm] = [flips.get(row), shares.get(row), student.get(row)];
    if (byHolm === undefined || bh === undefined) return row;
    return { ...row, adjusted: { holm: byHolm, bh, ...(tHolm === undefined ? {} : { tHolm }) } };
  });
}

function adjustedOver(
  rows: readonly OutcomeRow[],
  pOf: (row: OutcomeRow) => number | undefined,
  method: (p: readonly number[]) => number[],
): ReadonlyMap<OutcomeRow, number> {
  const tested = rows.flatMap((row) => {
    const p = pOf(row);
    return p === undefined ? [] : [{ row, p }];
  });
  const adjusted = method(tested.map(({ p }) => p));
  return new Map(tested.map(({ row }, at) => [row, adjusted[at] as number]));
}

function failureGroups(records: readonly TrialRecord[], nextNote: () => number): FailureGroup[] {
  const groups = new Map<string, { state: FailureGroup['state']; reason: string; trials: string[] }>();
  const failed = records.filter(({ state }) => state !== 'completed');
  for (const record of failed.sort((a, b) => (a.trial < b.trial ? -1 : 1))) {
    if (record.state === 'completed') continue;
    const key = JSON.stringify([record.state, record.reason]);
    const group = groups.get(key) ?? { state: record.state, reason: record.reason, trials: [] };
    groups.set(key, group);
    group.trials.push(record.trial);
  }
  return [...groups.values()].map((group) => ({ note: nextNote(), ...group }));
}

/**
 * The baseline, its A/A control, then the policies in the order of the spec, then any that only the records
 * know.
 */
function rolesOf({ spec, records }: TableInput): readonly { policy: string; role: OutcomeRow['role'] }[] {
  const extra = new Set(records.map((record) => record.policy));
  const known = new Set([...spec.policies, ...[...extra].sort()]);
  known.delete(spec.baseline);
  return [
    { policy: spec.baseline, role: 'baseline' },
    { policy: spec.baseline, role: 'aa' },
    ...[...known].map((policy) => ({ policy, role: 'measure' as const })),
  ];
}
