// SPDX-License-Identifier: Apache-2.0
import type { Estimate } from './estimate.ts';
import type { Example } from './training.ts';

/** A way to expect costs from a vector. */
export interface Method {
  readonly name: string;
  /** Learns from situations; `examples` are of one machine and objective, each with at least one vector. */
  fit(examples: readonly Example[]): FittedMethod;
  /** The same with settings chosen on these examples; a method without has none, or has them from elsewhere. */
  chosenOn?(examples: readonly Example[]): Method;
}

export interface FittedMethod {
  /** An estimate for each policy of which the examples know anything. */
  estimates(vector: Float32Array): readonly Estimate[];
}
