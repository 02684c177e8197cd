// SPDX-License-Identifier: Apache-2.0
import type { Counterfactual, Spec } from '../../harness/core/spec.ts';
import type { EngineName, PlannedTrial, TrialRecord, TrialState } from '../../harness/core/trial.ts';
import type { Evidence } from '../stats/evidence.ts';
import type { Tested } from '../stats/judge-family.ts';
import type { PairedRatio } from '../stats/paired-ratio.ts';
import type { Verdict } from '../stats/verdict.ts';
import type { CellStatistics } from './cell-statistics.ts';
import type { MetricChoice } from './pick-metric.ts';
import type { Group, GroupedTrials } from './table-groups.ts';

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
  /** Where each block ran, when blocks are of several hosts or labs; what the records say when absent. */
  readonly hosts?: ReadonlyMap<number, string>;
  /** What a reader must know besides about where the trials are from. */
  readonly remarks?: readonly string[];
  /** Leaves out all that is drawn at random: ratios, intervals and verdicts alone take a fraction of the time. */
  readonly onlyRatios?: boolean;
  /** Ratios from 1 / margin to margin are equivalent; 1.02 when absent. */
  readonly margin?: number;
  /** The same trials by group, where several tables are made of them; made when absent. */
  readonly grouped?: GroupedTrials;
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
  /** What the tests of the whole table need of this cell; absent without an interval. */
  readonly evidence?: Evidence;
  /** What the tests of the whole table say of it; absent on the baseline, and where `evidence` is. */
  readonly tested?: Tested;
  /** Why the workload's planned null control gives no verdict any ground; absent where it is sound, or none was planned. */
  readonly control?: ControlState;
  readonly verdict?: Verdict;
  /** 1 is the best among policies whose every trial completed, the baseline among them; none where the baseline fails too often. */
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

/** `missing`: fewer pairs than a verdict needs; `differs`: the baseline is better or worse than itself. */
export type ControlState = 'missing' | 'differs';

/** Whose trials a row is of. */
export type RowRole = Pick<OutcomeRow, 'policy' | 'role'>;

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
  /** The file of the run's folder that has more words of the first of them; absent when there is none. */
  readonly log?: string;
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
