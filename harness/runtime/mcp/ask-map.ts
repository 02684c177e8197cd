// SPDX-License-Identifier: Apache-2.0
import { type Answer, askMap } from '../../../analysis/policy-map/choose/ask.ts';
import { readCalibration } from '../../../analysis/policy-map/choose/calibration.ts';
import type { Objective } from '../../../analysis/policy-map/evidence.ts';
import type { Neighbour } from '../../../analysis/policy-map/policy-map.ts';
import { unitVector } from '../../../analysis/policy-map/vector.ts';
import type { McpParts } from './parts.ts';

/** An answer of the map, with what it rests on. */
export interface MapAnswer {
  readonly answer: Answer;
  readonly neighbours: readonly Neighbour[];
  /** Chord beyond which the map says nothing; absent when it has no calibration for this machine. */
  readonly farthest?: number;
}

/** Situations that are shown as evidence. */
const SHOWN = 5;

/** Asks the map about a vector of this machine. */
export async function askNow(
  parts: McpParts,
  { features, values }: { readonly features: string; readonly values: readonly number[] },
  objective: Objective,
): Promise<MapAnswer> {
  const map = await parts.openMap();
  try {
    const { machine } = parts;
    const dimensions = features === map.kind.features ? map.kind.dimensions : values.length;
    const vector = unitVector(values, dimensions, 'the vector');
    const answer = await askMap(map, { vector, features, machine, objective });
    const same = features === map.kind.features;
    const neighbours = same ? await map.neighbours({ vector, machine, k: SHOWN, within: 2 }) : [];
    const farthest = same ? (await readCalibration(map, machine, objective))?.farthest : undefined;
    return { answer, neighbours, ...(farthest === undefined ? {} : { farthest }) };
  } finally {
    await map.close();
  }
}

/** The known situations nearest to it, and whether the map would speak about them. */
export function nearestIn({ neighbours, farthest }: MapAnswer) {
  const nearest = neighbours.map(({ workload, variant, distance }) => ({ workload, variant, distance }));
  const [first] = nearest;
  return { nearest, known: first !== undefined && farthest !== undefined && first.distance <= farthest };
}
