// SPDX-License-Identifier: Apache-2.0

import { canDrift, pairedEvidence } from '../../analysis/stats/evidence.ts';
import { judgeFamily } from '../../analysis/stats/judge-family.ts';
import { median } from '../../analysis/stats/median.ts';
import { type Pair, type PairedRatio, pairedRatio } from '../../analysis/stats/paired-ratio.ts';
import { MARGIN, type Verdict, verdict } from '../../analysis/stats/verdict.ts';
import type { Metric } from '../core/metric.ts';
import type { TrialState } from '../core/trial.ts';
import { readEvidence } from '../run/evidence.ts';
import type { ForkedTrial } from './fork-trials.ts';
import type { AskedState, Question } from './question.ts';

/** What each policy would have done. Plain data; what is absent is missing. The README of this folder explains each member. */
export interface Answer {
  readonly v: 1;
  readonly question: Question;
  readonly states: readonly StateAnswer[];
  /** Each policy over all states, in the question's order. */
  readonly policies: readonly PolicyAnswer[];
}

export interface StateAnswer extends AskedState {
  /** Virtual time of the fork point since power-on, nanoseconds. */
  readonly forkVirtualNs?: number;
  /** The frozen machine; `seconds` is the host's, until it was there. */
  readonly snapshot?: { readonly key: string; readonly made: boolean; readonly seconds: number };
  readonly futures: readonly Future[];
}

/** What one policy did from a state on. */
export interface Future {
  readonly policy: string;
  readonly state: TrialState;
  /** Why it did not complete. */
  readonly reason?: string;
  readonly metrics: readonly Metric[];
  /** The primary metric: value, value / baseline's, value - baseline's. */
  readonly value?: number;
  readonly ratio?: number;
  readonly difference?: number;
  /** Of the run's processes, from the run's start. */
  readonly voluntarySwitches?: number;
  readonly involuntarySwitches?: number;
  /** SHA-256 of all that the guest sent. */
  readonly transcript?: string;
  /** Host seconds of the fork, without its snapshot. */
  readonly hostSeconds: number;
}

export interface PolicyAnswer {
  readonly policy: string;
  readonly completed: number;
  readonly median?: number;
  /** Mean of the differences to the baseline, each within a state. */
  readonly meanDifference?: number;
  /** Over the states in which both completed. */
  readonly ratio: PairedRatio;
  readonly verdict?: Verdict;
}

/** The answer that ended forks give. Pure. */
export function answerOf(question: Question, trials: readonly ForkedTrial[]): Answer {
  const width = question.policies.length;
  const base = question.policies.indexOf(question.baseline);
  const states = question.states.map((state, index): StateAnswer => {
    const own = trials.slice(index * width, (index + 1) * width);
    const baseline = primaryOf(own[base])?.value;
    return { ...state, ...originOf(own), futures: own.map((trial) => futureOf(trial, baseline)) };
  });
  const direction = trials.map(primaryOf).find((metric) => metric !== undefined)?.direction ?? 'lower';
  const pairsOf = (column: number) =>
    states.flatMap(({ futures: all }): Pair[] => {
      const [value, baseline] = [all[column]?.value, all[base]?.value];
      return value === undefined || baseline === undefined ? [] : [{ value, baseline }];
    });
  const futuresOf = (column: number) => states.map(({ futures }) => futures[column] as Future);
  const lostOf = (column: number) => failureShare(futuresOf(column));
  // All policies are one family of tests, as in a run's table; a state is a block.
  const tested = judgeFamily(
    question.policies.flatMap((_, column) =>
      column === base ? [] : [pairedEvidence(pairsOf(column), canDrift('exact'))],
    ),
    { margin: MARGIN },
  );
  const policies = question.policies.map((policy, column): PolicyAnswer => {
    const futures = futuresOf(column);
    const pairs = pairsOf(column);
    const ratio = pairedRatio(pairs);
    const decided =
      column === base
        ? undefined
        : verdict(ratio, tested[column < base ? column : column - 1], {
            direction,
            failureRate: lostOf(column),
            baselineFailureRate: lostOf(base),
          });
    const middle = median(futures.flatMap(({ value }) => value ?? []));
    return {
      policy,
      completed: futures.filter(({ state }) => state === 'completed').length,
      ...(middle === undefined ? {} : { median: middle }),
      ...(pairs.length === 0
        ? {}
        : { meanDifference: pairs.reduce((sum, p) => sum + p.value - p.baseline, 0) / pairs.length }),
      ratio,
      ...(decided === undefined ? {} : { verdict: decided }),
    };
  });
  return { v: 1, question, states, policies };
}

function failureShare(futures: readonly Future[]): number {
  return futures.filter(({ state }) => state !== 'completed').length / Math.max(1, futures.length);
}

/** The primary metric of a trial that completed. */
function primaryOf(trial: ForkedTrial | undefined): Metric | undefined {
  if (trial?.record.state !== 'completed') return undefined;
  return trial.record.metrics.find(({ primary }) => primary);
}

/** All forks of a state live on from one snapshot; one of them may have had to make it. */
function originOf(trials: readonly ForkedTrial[]): Pick<StateAnswer, 'forkVirtualNs' | 'snapshot'> {
  const origins = trials.flatMap(({ from }) => from ?? []);
  const from = origins.find(({ made }) => made) ?? origins[0];
  if (from === undefined) return {};
  const { snapshot: key, made, seconds, virtualNs } = from;
  return {
    snapshot: { key, made, seconds },
    ...(virtualNs === undefined ? {} : { forkVirtualNs: virtualNs }),
  };
}

function futureOf(trial: ForkedTrial, baseline: number | undefined): Future {
  const { record, outcome, planned } = trial;
  const value = primaryOf(trial)?.value;
  const { result } = readEvidence(outcome);
  return {
    policy: planned.policy,
    state: record.state,
    ...(record.state === 'completed' ? {} : { reason: record.reason }),
    metrics: record.state === 'completed' ? record.metrics : [],
    ...(value === undefined ? {} : { value }),
    ...(value === undefined || baseline === undefined ? {} : { difference: value - baseline }),
    ...(value === undefined || !baseline ? {} : { ratio: value / baseline }),
    ...(result === undefined
      ? {}
      : { voluntarySwitches: result.voluntarySwitches, involuntarySwitches: result.involuntarySwitches }),
    ...(record.transcript === undefined ? {} : { transcript: record.transcript }),
    hostSeconds: record.host.seconds,
  };
}
