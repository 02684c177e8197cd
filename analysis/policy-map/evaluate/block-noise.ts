// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../../../harness/core/trial.ts';
import { median } from '../../stats/median.ts';
import type { Objective } from '../evidence.ts';
import { BASELINE, logCosts } from '../run-evidence.ts';

/** Squares of deviations and how many of them are free, of one workload. */
interface Squares {
  readonly sum: number;
  readonly free: number;
}

/** A workload's own squares weigh against as many of the typical workload's. */
const PRIOR_FREE = 2;

/**
 * By how much the logarithm of a cost over the baseline's differs from block to block, as a standard deviation, by workload: from policies that were
 * measured in several blocks, and from null controls, in which it is nothing but noise. Drawn towards the median workload's, for a single
 * null control says little (a moderated variance: Smyth, Stat. Appl. Genet. Mol. Biol. 3 (2004) 3).
 */
export function blockNoise(
  records: readonly TrialRecord[],
  objective: Objective,
): ReadonlyMap<string, number> {
  const found = new Map<string, Squares>();
  for (const [, trials] of Map.groupBy(records, situationOf)) {
    const [{ workload }] = trials as [TrialRecord];
    const known = found.get(workload) ?? { sum: 0, free: 0 };
    found.set(workload, addSquares(known, squaresOf(trials, objective)));
  }
  const own = [...found].filter(([, { free }]) => free > 0);
  const typical = median(own.map(([, { sum, free }]) => sum / free)) ?? 0;
  return new Map(
    own.map(([workload, { sum, free }]) => [
      workload,
      Math.sqrt((sum + PRIOR_FREE * typical) / (free + PRIOR_FREE)),
    ]),
  );
}

/** Of trials of one situation in one run. */
function squaresOf(trials: readonly TrialRecord[], objective: Objective): Squares {
  const baselines = new Map(
    trials
      .filter(({ policy, role }) => policy === BASELINE && role === 'measure')
      .map((trial) => [trial.block, trial]),
  );
  const costs = trials.flatMap((trial) => {
    const baseline = baselines.get(trial.block);
    if (trial === baseline || trial.state !== 'completed' || baseline?.state !== 'completed') return [];
    const cost = logCosts(trial, baseline)[objective];
    return cost === undefined ? [] : [{ isNull: trial.role === 'aa', policy: trial.policy, cost }];
  });
  const nulls = costs.filter(({ isNull }) => isNull).map(({ cost }) => cost);
  // The mean of a null control is known: it is 0.
  const squares = [{ sum: nulls.reduce((total, cost) => total + cost * cost, 0), free: nulls.length }];
  for (const [, same] of Map.groupBy(
    costs.filter(({ isNull }) => !isNull),
    ({ policy }) => policy,
  )) {
    const mean = same.reduce((total, { cost }) => total + cost, 0) / same.length;
    squares.push({
      sum: same.reduce((total, { cost }) => total + (cost - mean) ** 2, 0),
      free: same.length - 1,
    });
  }
  return squares.reduce(addSquares);
}

function addSquares(a: Squares, b: Squares): Squares {
  return { sum: a.sum + b.sum, free: a.free + b.free };
}

function situationOf({ run, workload, variant, point }: TrialRecord): string {
  return JSON.stringify([run, workload, variant, point]);
}
