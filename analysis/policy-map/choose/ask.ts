// SPDX-License-Identifier: Apache-2.0
import { describeMachine, type Machine, machineDifferences, type Objective } from '../evidence.ts';
import type { Neighbour, PolicyMapReader } from '../policy-map.ts';
import { BASELINE } from '../run-evidence.ts';
import { cosineOf, type UnitVector } from '../vector.ts';
import { LEAST_SITUATIONS, withIntervals } from './calibrate.ts';
import { type Calibration, isOutdated, priorsFrom, readCalibration } from './calibration.ts';
import { type Decision, decide } from './decide.ts';
import { knnEstimates } from './estimate.ts';
import { costsOf } from './training.ts';

export interface Question {
  readonly vector: UnitVector;
  /** Version of the vector's features. */
  readonly features: string;
  readonly machine: Machine;
  readonly objective: Objective;
}

/** A neighbour in an answer. */
export interface NearSituation {
  readonly workload: string;
  readonly variant: string;
  readonly point: string;
  /** Chord, 0 to 2, and the cosine that belongs to it. */
  readonly distance: number;
  readonly cosine: number;
}

/** A policy in an answer; ratios are costs over the baseline's, so below 1 is better. */
export interface RankedPolicy {
  readonly policy: string;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** Weighted share of trials nearby that failed. */
  readonly failures: number;
  readonly against?: string;
}

export interface Answer {
  readonly v: 1;
  /** What to run: the baseline when the map abstains. */
  readonly recommend: string;
  readonly abstained: boolean;
  /** One sentence. */
  readonly why: string;
  readonly objective: Objective;
  /** Share of new workloads for which the upper end of the recommended policy's interval is to hold. */
  readonly level?: number;
  /** Best first. */
  readonly ranking: readonly RankedPolicy[];
  /** Whether the map knows a situation that is near enough to judge by, whatever it recommends there. */
  readonly known: boolean;
  /** Nearest first. */
  readonly neighbours: readonly NearSituation[];
}

/** Asks a map: which policy did best when the system looked so, how sure is that, and is it better left alone? */
export async function askMap(map: PolicyMapReader, question: Question): Promise<Answer> {
  const { vector, features, machine, objective } = question;
  if (map.kind.features !== features) {
    return abstain(question, `the map is of features ${map.kind.features}, and the vector of ${features}`);
  }
  const calibration = await readCalibration(map, machine, objective);
  if (calibration === undefined) {
    const why = (await isOutdated(map, machine, objective))
      ? "the map's intervals were made by another version of pmvx; pmvx map check brings it up to date"
      : strangeMachine(machine, await map.machines());
    return abstain(question, why);
  }
  const near = await map.neighbours({
    vector,
    machine,
    k: Math.max(NEIGHBOURS, calibration.knn.k),
    within: calibration.farthest ?? 2,
  });
  return answerFrom(question, near, calibration);
}

/** Neighbours that are asked for: folds of a calibration do without some of them. */
const NEIGHBOURS = 24;

/** The part of an answer that needs no map. */
export function answerFrom(question: Question, near: readonly Neighbour[], calibration: Calibration): Answer {
  const { objective } = question;
  const neighbours = near.slice(0, calibration.knn.k).map(({ workload, variant, point, distance }) => ({
    workload,
    variant,
    point,
    distance,
    cosine: cosineOf(distance),
  }));
  const costs = near.map((each) => ({
    workload: each.workload,
    distance: each.distance,
    costs: costsOf(each, objective),
  }));
  const { farthest, level } = calibration;
  const bounded = withIntervals(
    knnEstimates(costs, priorsFrom(calibration), calibration.knn),
    calibration.folds.map((fold) => ({
      scores: fold.scores,
      estimates: knnEstimates(
        costs.filter(({ workload }) => !fold.workloads.includes(workload)),
        priorsFrom(fold),
        fold.knn,
      ),
    })),
  );
  if (bounded === undefined || farthest === undefined) {
    const why = `the map holds ${calibration.situations} situations of ${calibration.workloads} workloads with this objective; intervals need ${LEAST_SITUATIONS}, of two or more`;
    return { ...abstain(question, why), neighbours };
  }
  const decision = decide(bounded);
  const shown = { neighbours, ranking: rankingOf(decision), level };
  const [first] = neighbours;
  if (first === undefined)
    return { ...abstain(question, 'the map has no situation of this machine'), ...shown };
  if (first.distance > farthest) {
    const why = `the nearest situation (${first.workload}) is ${first.distance.toFixed(2)} away; beyond ${farthest.toFixed(2)} the map knows nothing`;
    return { ...abstain(question, why), ...shown };
  }
  if (decision.policy === undefined)
    return { ...abstain(question, nothingBetter(decision)), ...shown, known: true };
  const best = decision.ranking.find(
    ({ policy }) => policy === decision.policy,
  ) as Decision['ranking'][number];
  const why = `expected to cost ${percent(best.logCost)} (at most ${percent(best.high)} in ${Math.round(100 * level)} % of new workloads); nearest is ${first.workload} at ${first.distance.toFixed(2)}`;
  return { v: 1, recommend: decision.policy, abstained: false, why, objective, ...shown, known: true };
}

function abstain({ objective }: Question, why: string): Answer {
  return {
    v: 1,
    recommend: BASELINE,
    abstained: true,
    why,
    objective,
    known: false,
    ranking: [],
    neighbours: [],
  };
}

function strangeMachine(machine: Machine, known: readonly Machine[]): string {
  const differences = known
    .map((other) => machineDifferences(machine, other))
    .sort((a, b) => a.length - b.length);
  const [nearest] = differences;
  if (nearest === undefined) return 'the map is empty';
  if (nearest.length === 0) return `the map has no vectors of this machine (${describeMachine(machine)})`;
  return `the map knows nothing of this machine; the most similar one has ${nearest.join(', and ')}`;
}

function nothingBetter({ ranking }: Decision): string {
  const [first] = ranking;
  if (first === undefined) return 'nothing is known of any policy there';
  if (first.against === 'fails') {
    return `${first.policy} looks best and failed ${percent(Math.log1p(first.failures), '')} of the trials nearby; no other is surely better`;
  }
  return `no policy is surely better: ${first.policy} is expected to cost ${percent(first.logCost)}, and may cost up to ${percent(first.high)}`;
}

/** `-12 %`: a logarithm of a ratio as a change. */
function percent(log: number, sign = '+'): string {
  const value = 100 * Math.expm1(log);
  return `${value > 0 ? sign : ''}${value.toFixed(Math.abs(value) < 9.95 ? 1 : 0)} %`;
}

function rankingOf({ ranking }: Decision): RankedPolicy[] {
  return ranking.map(({ policy, logCost, low, high, failures, against }) => ({
    policy,
    ratio: Math.exp(logCost),
    low: Math.exp(low),
    high: Math.exp(high),
    failures,
    ...(against === undefined ? {} : { against }),
  }));
}
