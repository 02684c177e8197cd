// SPDX-License-Identifier: Apache-2.0
import { AbsentCounter, type Counted, counter } from './counted.ts';
import { FEATURES, type Reading } from './definition.ts';
import { SCALES, type Scale } from './scales.ts';

/** A window from which nothing can be concluded, and why. */
export interface UnknownVector {
  readonly kind: 'unknown';
  readonly why: string;
}

export interface KnownVector {
  readonly kind: 'vector';
  /** Unit length, a number for each of {@link FEATURES}. */
  readonly values: readonly number[];
}

/** Shortest window that is judged, ns; the runtime's are from 250 ms to 5 s. */
const SHORTEST_NS = 50e6;
/** Less than this share of the processors' time is a machine that does nothing in particular. */
const LEAST_BUSY = 0.02;
/** Fewer switches say nothing about how tasks follow one another. */
const LEAST_SWITCHES = 20;
/** So many events weigh as much as knowing nothing: a feature that rests on few is drawn to its centre. */
const PRIOR_EVENTS = 10;
/** Robust deviations beyond which a feature is as extreme as can be: one alone must not be the whole vector. */
const MOST = 3;

/** The vector of what was counted in a window or a whole run; `unknown` when that is too little, or lacks a counter. */
export function workloadVector(
  counted: Counted,
  scales: readonly Scale[] = SCALES,
): KnownVector | UnknownVector {
  try {
    const why = emptiness(counted);
    if (why !== undefined) return { kind: 'unknown', why };
    const scaled = scaledReadings(counted, scales);
    const length = Math.hypot(...scaled);
    // All features at their centres: like everything, and so like nothing.
    if (!(length > 1e-6))
      return { kind: 'unknown', why: 'no feature differs from the middle of all workloads' };
    return { kind: 'vector', values: scaled.map((value) => value / length) };
  } catch (error) {
    if (!(error instanceof AbsentCounter)) throw error;
    return { kind: 'unknown', why: `${error.message} is absent` };
  }
}

/** Robust deviations from the middle of all workloads, drawn to 0 where few events speak: the vector before it is given unit length. Throws `AbsentCounter`. */
export function scaledReadings(counted: Counted, scales: readonly Scale[] = SCALES): readonly number[] {
  return FEATURES.map((feature, at) => scaledReading(feature.of(counted), scales[at] as Scale));
}

/** Raw readings in the order of {@link FEATURES}; throws `AbsentCounter`. */
export function featureReadings(counted: Counted): readonly Reading[] {
  return FEATURES.map((feature) => feature.of(counted));
}

function emptiness(counted: Counted): string | undefined {
  const { durationNs, vcpus } = counted;
  if (!(durationNs >= SHORTEST_NS))
    return `the window is ${durationNs / 1e6} ms long; ${SHORTEST_NS / 1e6} ms are the least`;
  const busy = counter(counted, 'cpu', 'run_ns') / (durationNs * vcpus);
  if (busy < LEAST_BUSY)
    return `processors were busy for ${(100 * busy).toFixed(1)} % of the window; ${100 * LEAST_BUSY} % are the least`;
  const switches = counter(counted, 'cpu', 'switch_sleep') + counter(counted, 'cpu', 'switch_preempt');
  if (switches < LEAST_SWITCHES)
    return `tasks left a processor ${switches} times; ${LEAST_SWITCHES} are the least`;
  return undefined;
}

function scaledReading({ value, events }: Reading, { centre, spread }: Scale): number {
  const deviations = Math.max(-MOST, Math.min(MOST, (value - centre) / spread));
  return (deviations * events) / (events + PRIOR_EVENTS);
}
