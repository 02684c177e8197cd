// SPDX-License-Identifier: Apache-2.0
import { type ProbeSet, type ProbeTotals, scaledUp } from '../core/probe-counters.ts';
import { addTotals, totalsBetween } from '../core/probe-values.ts';

/** Readings of a set whose frequent events are counted for a part of the time only, as readings that only grow. */
export class ScaledReadings {
  readonly #set: ProbeSet;
  /** What was seen until the last reading that knew all counters, for how long, and what that was scaled up to. */
  #seen: ProbeTotals | undefined;
  #countedNs = 0;
  #sum: ProbeTotals | undefined;

  constructor(set: ProbeSet) {
    this.#set = set;
  }

  /** The next reading, from all that programs saw until now and for how long they were there. */
  next(seen: ProbeTotals, countedNs: number): ProbeTotals {
    const since = this.#seen === undefined ? seen : totalsBetween(this.#seen, seen);
    const sampledNs = countedNs - this.#countedNs;
    const grown = scaledUp(this.#set, since, sampledNs);
    const sum = this.#sum === undefined ? grown : addTotals(this.#sum, grown);
    // Nothing was seen of frequent events: the next reading scales over this stretch of time, too.
    if (!(sampledNs > 0)) return sum;
    this.#seen = seen;
    this.#countedNs = countedNs;
    this.#sum = sum;
    return sum;
  }
}
