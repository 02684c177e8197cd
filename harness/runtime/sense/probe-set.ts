// SPDX-License-Identifier: Apache-2.0
import { windowCounters } from '../../../analysis/features/window-vector.ts';
import type { ProbeSet, ProbeTotals } from '../../core/probe-counters.ts';
import type { HostProbes } from '../host-probes.ts';
import type { Turn } from '../probe-turns.ts';

/** Loads and attaches one set, which counts frequent events in turns where there is a `turn`. Throws in the words of libbpf and the verifier. */
export type OpenProbes = (set: ProbeSet, turn?: Turn) => HostProbes;

/** How long a set that went, or could not be loaded, is left alone before the next attempt, in windows: doubled each time. */
const FIRST_REST = 1;
const LONGEST_REST = 64;

/**
 * One set of probes, read window by window. A set that cannot be loaded, read, or has gone silent is loaded anew; until then its
 * counters are absent, and `fault` says why.
 */
export class ReopeningProbes {
  readonly set: ProbeSet;
  fault: string | undefined;
  readonly #open: (set: ProbeSet) => HostProbes;
  #probes: HostProbes | undefined;
  #last: ProbeTotals | undefined;
  #rest = 0;
  #nextRest = FIRST_REST;

  constructor(set: ProbeSet, open: (set: ProbeSet) => HostProbes) {
    this.set = set;
    this.#open = open;
    this.#tryOpen();
  }

  /** What was counted since the last call; undefined without one, or without the probes. */
  window(): ProbeTotals | undefined {
    if (this.#probes === undefined) {
      if (this.#rest-- > 0) return undefined;
      this.#tryOpen();
      return undefined;
    }
    try {
      const now = this.#probes.read()[this.set];
      const before = this.#last;
      this.#last = now;
      if (now === undefined || before === undefined) return undefined;
      this.#nextRest = FIRST_REST;
      return windowCounters({ [this.set]: before }, { [this.set]: now })[this.set];
    } catch (error) {
      this.lose(`cannot be read: ${firstLine(error)}`);
      return undefined;
    }
  }

  /** Frequent events are not counted until `wake`. */
  rest(): void {
    try {
      this.#probes?.pause();
    } catch (error) {
      this.lose(`cannot be detached: ${firstLine(error)}`);
    }
  }

  /** The next window begins now: what was counted during the rest is none of it. */
  wake(): void {
    try {
      this.#probes?.resume();
      const now = this.#probes?.read()[this.set];
      // Frequent events that are scaled up are absent in a reading without a turn; they did not grow.
      if (now !== undefined && this.#last !== undefined)
        this.#last = { ...this.#last, ...now, counters: { ...this.#last.counters, ...now.counters } };
    } catch (error) {
      this.lose(`cannot be attached again: ${firstLine(error)}`);
    }
  }

  /** The probes do not count any more, whatever their counters say: they are loaded anew at the next window. */
  lose(why: string): void {
    this.fault = `probe set ${this.set} ${why}`;
    this.close();
  }

  close(): void {
    try {
      this.#probes?.close();
    } catch {
      // What is broken may not close either; the kernel takes it away with the process.
    }
    this.#probes = undefined;
    this.#last = undefined;
  }

  #tryOpen(): void {
    try {
      this.#probes = this.#open(this.set);
      this.#last = this.#probes.read()[this.set];
      this.fault = undefined;
    } catch (error) {
      this.fault = `probe set ${this.set} cannot be loaded: ${firstLine(error)}`;
      this.close();
      this.#rest = this.#nextRest;
      this.#nextRest = Math.min(LONGEST_REST, 2 * this.#nextRest);
    }
  }
}

function firstLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line;
}
