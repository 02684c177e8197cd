// SPDX-License-Identifier: Apache-2.0
import { bootstrapMean, type Interval } from '../../stats/bootstrap-mean.ts';
import { median } from '../../stats/median.ts';
import { randomWords } from '../../stats/random.ts';
import type { Example } from '../choose/training.ts';

/** What was picked for a situation that the picker had not seen; no policy: the baseline. */
export interface Pick {
  readonly example: Example;
  readonly policy?: string;
  /** Whether the real cost of the best estimate, recommended or not, was below the upper end of its interval; absent without one. */
  readonly held?: boolean;
}

/** How many intervals held, of how many. */
export interface Held {
  readonly held: number;
  readonly of: number;
}

/** How good picks were, over situations. Costs are ratios less 1: 0.05 is 5 %. */
export interface Verdict {
  readonly situations: number;
  readonly workloads: number;
  /** Mean over situations of the pick's cost over the best policy's (the baseline among them). */
  readonly regret: number;
  /** Its 95 % interval over workloads: what others of their kind may have. */
  readonly regretInterval?: Interval;
  /** The same with the geometric mean, which one tail latency does not rule, and the median. */
  readonly geometricRegret: number;
  readonly medianRegret: number;
  /** Geometric mean of the pick's cost over the baseline's, with a 95 % interval over workloads. */
  readonly gain: number;
  readonly gainInterval?: Interval;
  /** The same by workload, a natural logarithm each. */
  readonly logCosts: readonly number[];
  /** Share of situations in which at most two of the baseline and all policies cost less than the pick; and less by more than `EQUAL`. */
  readonly top3: number;
  readonly top3OrEqual: number;
  /** At most `EQUAL` dearer than the baseline. */
  readonly noWorse: number;
  /** Dearer than the baseline by any amount at all. */
  readonly strictlyWorse: number;
  readonly abstained: number;
  /** The pick failed, or was not measured; counted as the dearest policy that was. */
  readonly failed: number;
  /** Greatest cost over the baseline's where no policy is better than the baseline by more than `FLAT`; absent without such situations. */
  readonly worstWhereFlat?: number;
  readonly flat: number;
  /** Upper ends of intervals that held: of all best estimates, and of those that were recommended, where it matters. */
  readonly held: Held;
  readonly heldGiven: Held;
}

/** What counts as equal to the baseline: 1 %. */
const EQUAL = Math.log(1.01);
/** Scheduling cannot help where no policy is better by more than 2 %. */
const FLAT = Math.log(1.02);

/** Logarithm of what the pick cost over the baseline. A pick that failed costs what the dearest policy there does. */
export function pickCost({ example, policy }: Pick): { readonly logCost: number; readonly failed: boolean } {
  if (policy === undefined) return { logCost: 0, failed: false };
  const known = example.costs.get(policy);
  if (known?.logCost !== undefined && known.failures === 0) return { logCost: known.logCost, failed: false };
  return { logCost: Math.max(0, ...measured(example)), failed: true };
}

/** What one pick came to. */
export interface JudgedPick {
  readonly logCost: number;
  readonly failed: boolean;
  /** Cost over the best policy's, less 1. */
  readonly regret: number;
  /** 1 is the cheapest; `rankOrEqual` counts only those that are cheaper by more than `EQUAL`. */
  readonly rank: number;
  readonly rankOrEqual: number;
  readonly noWorse: boolean;
  /** No policy is better than the baseline by more than `FLAT`. */
  readonly flat: boolean;
}

export function judgePick(pick: Pick): JudgedPick {
  const { logCost, failed } = pickCost(pick);
  const all = [0, ...measured(pick.example)];
  const best = Math.min(...all);
  return {
    logCost,
    failed,
    regret: Math.exp(logCost - best) - 1,
    rank: all.filter((cost) => cost < logCost).length + 1,
    rankOrEqual: all.filter((cost) => cost < logCost - EQUAL).length + 1,
    noWorse: logCost <= EQUAL,
    flat: best >= -FLAT,
  };
}

export function judgePicks(picks: readonly Pick[]): Verdict {
  const rows = picks.map((pick) => ({
    ...judgePick(pick),
    workload: pick.example.workload,
    abstained: pick.policy === undefined,
  }));
  const share = (is: (row: (typeof rows)[number]) => boolean) => rows.filter(is).length / rows.length;
  const flat = rows.filter((row) => row.flat);
  const interval = intervalOver(rows.map(({ workload, logCost }) => ({ workload, value: logCost })));
  const regrets = intervalOver(rows.map(({ workload, regret }) => ({ workload, value: regret })));
  return {
    situations: rows.length,
    workloads: new Set(rows.map(({ workload }) => workload)).size,
    regret: mean(rows.map(({ regret }) => regret)),
    ...(regrets === undefined ? {} : { regretInterval: regrets }),
    geometricRegret: Math.expm1(mean(rows.map(({ regret }) => Math.log1p(regret)))),
    medianRegret: median(rows.map(({ regret }) => regret)) ?? Number.NaN,
    gain: Math.exp(mean(rows.map(({ logCost }) => logCost))) - 1,
    ...(interval === undefined
      ? {}
      : { gainInterval: { low: Math.exp(interval.low) - 1, high: Math.exp(interval.high) - 1 } }),
    logCosts: meansOf(rows.map(({ workload, logCost }) => ({ workload, value: logCost }))),
    top3: share(({ rank }) => rank <= 3),
    top3OrEqual: share(({ rankOrEqual }) => rankOrEqual <= 3),
    noWorse: share(({ noWorse }) => noWorse),
    strictlyWorse: share(({ logCost }) => logCost > 0),
    abstained: share(({ abstained }) => abstained),
    failed: share(({ failed }) => failed),
    flat: flat.length,
    held: heldOf(picks),
    heldGiven: heldOf(picks.filter(({ policy }) => policy !== undefined)),
    ...(flat.length === 0
      ? {}
      : { worstWhereFlat: Math.exp(Math.max(...flat.map(({ logCost }) => logCost))) - 1 }),
  };
}

function heldOf(picks: readonly Pick[]): Held {
  const known = picks.filter(({ held }) => held !== undefined);
  return { held: known.filter(({ held }) => held).length, of: known.length };
}

/** Interval of the mean of logarithms of one picker's cost over another's: which of the two is better, workload by workload. */
export function comparePicks(
  picks: readonly Pick[],
  others: readonly Pick[],
): { readonly ratio: number; readonly interval?: Interval; readonly logCosts: readonly number[] } {
  const values = picks.map((pick, at) => ({
    workload: pick.example.workload,
    value: pickCost(pick).logCost - pickCost(others[at] as Pick).logCost,
  }));
  const interval = intervalOver(values);
  return {
    ratio: Math.exp(mean(values.map(({ value }) => value))) - 1,
    logCosts: meansOf(values),
    ...(interval === undefined
      ? {}
      : { interval: { low: Math.exp(interval.low) - 1, high: Math.exp(interval.high) - 1 } }),
  };
}

/** BCa bootstrap over workloads, not situations: settings of one workload are not independent of each other. */
function intervalOver(values: readonly OfWorkload[]): Interval | undefined {
  return bootstrapMean(meansOf(values), 0.95, randomWords(1, 'picks'))?.bca;
}

interface OfWorkload {
  readonly workload: string;
  readonly value: number;
}

/** Of each workload the mean over its situations. */
function meansOf(values: readonly OfWorkload[]): number[] {
  const groups = Map.groupBy(values, ({ workload }) => workload);
  return [...groups.values()].map((group) => mean(group.map(({ value }) => value)));
}

function measured({ costs }: Example): number[] {
  return [...costs.values()].flatMap(({ logCost, failures }) =>
    logCost === undefined || failures > 0 ? [] : [logCost],
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
