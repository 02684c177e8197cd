// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../../harness/core/fork-point.ts';
import type { Evidence, Machine } from './evidence.ts';
import type { PolicySummary } from './summary.ts';
import type { UnitVector } from './vector.ts';

/** Of which features the vectors of a map are; fixed when it is made. */
export interface MapKind {
  /** Version of the feature definition. */
  readonly features: string;
  readonly dimensions: number;
}

/** What a map holds, counted. */
export interface MapFacts extends MapKind {
  readonly schema: number;
  readonly machines: readonly Machine[];
  readonly runs: number;
  readonly policies: number;
  readonly situations: number;
  /** Situations of which no vector is known, so that no query finds them: their outcomes wait for one. */
  readonly unplaced: number;
  readonly observations: number;
  readonly outcomes: number;
}

/** A workload with its parameters and fork point on one machine, and what each policy did there. */
export interface SituationEvidence {
  readonly machine: Machine;
  readonly workload: string;
  readonly variant: string;
  readonly point: ForkPoint;
  readonly policies: readonly PolicySummary[];
}

export interface Neighbour extends SituationEvidence {
  /** Chord between the vectors, 0 to 2. */
  readonly distance: number;
}

/** A situation with all its vectors, each with the policy under which it was seen. */
export interface PlacedSituation extends SituationEvidence {
  readonly vectors: readonly { readonly policy: string; readonly vector: Float32Array }[];
}

/** What a query and the runtime need of a map: nothing here changes it. */
export interface PolicyMapReader {
  readonly kind: MapKind;
  /** Machines of which there is evidence. */
  machines(): Promise<readonly Machine[]>;
  /** Counts rows: not for every query. */
  facts(): Promise<MapFacts>;
  /**
   * At most `k` situations on `machine`, nearest first, exact up to the distance `within`. With no machine those of all machines.
   */
  neighbours(query: {
    readonly vector: UnitVector;
    readonly machine?: Machine;
    readonly k: number;
    readonly within: number;
  }): Promise<readonly Neighbour[]>;
  /** Every situation that has a vector, or `most` of them, spread evenly. */
  situations(most?: number): AsyncIterable<PlacedSituation>;
  /** All evidence in an order that depends on the evidence alone: equal maps give equal sequences. */
  evidence(): AsyncIterable<Evidence>;
  /** A setting of the map, such as the calibration of its intervals. */
  setting(name: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** What learning did. */
export interface LearnReport {
  readonly runs: number;
  readonly observations: number;
  readonly outcomes: number;
  /** Evidence that the map had already. */
  readonly known: number;
}

/** Settings, by name, that follow from what a map holds. */
export type Settle = (map: PolicyMapReader) => Promise<ReadonlyMap<string, string>>;

export interface PolicyMap extends PolicyMapReader {
  /**
   * Adds evidence in one transaction: all of it or, after any error or kill, none. What is there already changes nothing. Throws when
   * evidence of the same key says something else than before, and when another process writes. `settle` makes settings that follow from
   * the map as it is then, in the same transaction.
   */
  learn(evidence: Iterable<Evidence> | AsyncIterable<Evidence>, settle?: Settle): Promise<LearnReport>;
  setSetting(name: string, value: string): Promise<void>;
  /** Recomputes what is derived, and compares: a line for each fault, so none when the map is sound. */
  verify(): Promise<string[]>;
}
