// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { canonicalJson } from '../../../harness/core/ids.ts';
import { type Machine, OBJECTIVES, type Objective } from '../evidence.ts';
import type { PlacedSituation, PolicyMapReader, Settle } from '../policy-map.ts';
import { conformalQuantile, foldsOf, LEAST_SITUATIONS, LEVEL, scoresOf } from './calibrate.ts';
import { chooseKnn, KNN } from './choose-settings.ts';
import { knnMethod, nearest } from './knn.ts';
import { meanVector } from './mean-vector.ts';
import { type Example, exampleOf, type Priors, priorsOf } from './training.ts';

/** Situations that a calibration looks at, at most; so learning into a large map does not take longer and longer. */
const MOST = 400;

/** What a query needs besides neighbours; kept with the map, and made anew with all that is learnt. */
const Knn = z.object({ k: z.int().positive(), bandwidth: z.number().positive() });
/** Policy, mean, variance, situations. */
const PriorList = z.array(z.tuple([z.string(), z.number(), z.number(), z.number()]));

const Calibration = z.object({
  v: z.literal(3),
  /** How neighbours are weighed. */
  knn: Knn,
  level: z.number(),
  situations: z.number(),
  workloads: z.number(),
  /** What intervals are made of: what is known without some workloads, and how far off that is on them. None: too few situations. */
  folds: z.array(
    z.object({ workloads: z.array(z.string()), knn: Knn, priors: PriorList, scores: z.array(z.number()) }),
  ),
  /** Distance to the nearest neighbour beyond which nothing is known. */
  farthest: z.number().optional(),
  priors: PriorList,
});
export type Calibration = z.infer<typeof Calibration>;

/** Makes the calibration of every machine and objective of a map: to be given to `learn`. */
export const settleCalibrations: Settle = async (map) => {
  const machines = new Map<string, PlacedSituation[]>();
  for await (const situation of map.situations(MOST)) {
    const key = canonicalJson(situation.machine);
    machines.set(key, [...(machines.get(key) ?? []), situation]);
  }
  const settings = new Map<string, string>();
  for (const situations of machines.values()) {
    for (const objective of OBJECTIVES) {
      const examples = situations.map((situation) => exampleOf(situation, objective));
      const [{ machine }] = situations as [PlacedSituation];
      settings.set(settingName(machine, objective), JSON.stringify(calibrationOf(examples)));
    }
  }
  return settings;
};

export function calibrationOf(all: readonly Example[]): Calibration {
  const examples = all.filter(({ costs }) =>
    [...costs.values()].some(({ logCost }) => logCost !== undefined),
  );
  const workloads = new Set(examples.map(({ workload }) => workload)).size;
  const knn = workloads < 2 ? KNN : chooseKnn(examples);
  const folds = workloads < 2 ? [] : foldsKept(examples);
  const scores = folds.reduce((sum, fold) => sum + fold.scores.length, 0);
  return {
    v: 3,
    knn,
    level: LEVEL,
    situations: examples.length,
    workloads,
    ...(scores < LEAST_SITUATIONS ? { folds: [] } : { folds, farthest: farthestOf(examples) }),
    priors: priorList(examples),
  };
}

/** As `crossFit` does, in numbers that can be kept. */
function foldsKept(examples: readonly Example[]): Calibration['folds'] {
  return foldsOf(examples).map((fold) => {
    const others = examples.filter(({ workload }) => !fold.has(workload));
    const knn = chooseKnn(others);
    const own = examples.filter(({ workload }) => fold.has(workload));
    return {
      workloads: [...fold],
      knn,
      priors: priorList(others),
      scores: scoresOf(knnMethod(knn).fit(others), own),
    };
  });
}

function priorList(examples: readonly Example[]): z.infer<typeof PriorList> {
  return [...priorsOf(examples)].map(([policy, { mean, variance, situations }]) => [
    policy,
    mean,
    variance,
    situations,
  ]);
}

/** As far as the nearest other workload is in all but a tenth of the situations: what intervals were calibrated for. */
function farthestOf(examples: readonly Example[]): number {
  return conformalQuantile(
    examples.map(({ workload, vectors }) => {
      const others = examples.filter((other) => other.workload !== workload);
      return nearest(meanVector(vectors), others)[0]?.distance ?? 2;
    }),
  );
}

/** Of a machine and objective; undefined when the map has none that this version of pmvx understands. */
export async function readCalibration(
  map: PolicyMapReader,
  machine: Machine,
  objective: Objective,
): Promise<Calibration | undefined> {
  const text = await map.setting(settingName(machine, objective));
  if (text === undefined) return undefined;
  const known = parsed.get(text) ?? Calibration.safeParse(JSON.parse(text)).data;
  if (known === undefined) return undefined;
  // The last one only: it changes with learning, and is asked for again and again in between.
  if (!parsed.has(text)) parsed.clear();
  parsed.set(text, known);
  return known;
}

/** Whether the map has one that a version of pmvx made which weighed evidence otherwise. */
export async function isOutdated(
  map: PolicyMapReader,
  machine: Machine,
  objective: Objective,
): Promise<boolean> {
  const text = await map.setting(settingName(machine, objective));
  return text !== undefined && !Calibration.safeParse(JSON.parse(text)).success;
}

const parsed = new Map<string, Calibration>();

export function priorsFrom(calibration: Pick<Calibration, 'priors'>): Priors {
  return new Map(
    calibration.priors.map(([policy, mean, variance, situations]) => [
      policy,
      { mean, variance, situations },
    ]),
  );
}

function settingName(machine: Machine, objective: Objective): string {
  return `calibration ${objective} ${canonicalJson(machine)}`;
}
