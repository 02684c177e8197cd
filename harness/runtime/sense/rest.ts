// SPDX-License-Identifier: Apache-2.0
import type { Clock } from './clock.ts';
import { changeOf, type Pulse, type PulseTotals, pulseBetween } from './pulse.ts';

/** When probes rest, and what ends that. */
export interface RestConfig {
  /** Windows in a row that changed nothing, after which they rest. */
  readonly after: number;
  /** Then there is a window all the same, ms. */
  readonly mostMs: number;
  /** A rate of what the kernel counts anyway that is so many times what it was ends the rest. */
  readonly factor: number;
}

/** Whatever happens is seen within five seconds. */
export const REST_DEFAULTS: RestConfig = { after: 3, mostMs: 3000, factor: 1.5 };

export interface Rested {
  readonly ms: number;
  /** What ended it. */
  readonly woke: string;
  /** Whether the machine goes otherwise than before. */
  readonly changed: boolean;
}

/** Pulses that are known; older ones are forgotten. */
const KEPT = 32;

/**
 * Looks at the machine's pulse when a window closes, and in steps while probes rest. Known are pulses of windows that agreed with the present
 * policy, and no others: what is merely near to one of them is not learnt, or a load could become another one in small steps.
 */
export class RestWatch {
  readonly #clock: Clock;
  readonly #cpus: number;
  readonly #read: () => PulseTotals | undefined;
  #known: Pulse[] = [];
  #closed: Pulse | undefined;
  #last: { readonly atNs: number; readonly totals: PulseTotals } | undefined;

  constructor(clock: Clock, cpus: number, read: () => PulseTotals | undefined) {
    this.#clock = clock;
    this.#cpus = cpus;
    this.#read = read;
  }

  /** A window closed. */
  closed(): void {
    this.#closed = this.#beat();
  }

  /** The window that closed last agreed with the policy in effect: so does whatever goes as it went. */
  agreed(): void {
    if (this.#closed !== undefined) this.#known = [...this.#known, this.#closed].slice(-KEPT);
    this.#closed = undefined;
  }

  /** Another policy is in effect: nothing is known of when that is right. */
  forget(): void {
    this.#known = [];
    this.#closed = undefined;
  }

  /** Resolves when the rest is over. `calm` is asked at each step of `stepMs`. */
  async until(config: RestConfig, stepMs: number, calm: () => boolean, signal: AbortSignal): Promise<Rested> {
    const beganNs = this.#clock.nowNs();
    const rested = (woke: string, changed = false) => ({
      ms: (this.#clock.nowNs() - beganNs) / 1e6,
      woke,
      changed,
    });
    for (;;) {
      const leftMs = config.mostMs - (this.#clock.nowNs() - beganNs) / 1e6;
      await this.#clock.until(this.#clock.nowNs() + Math.min(stepMs, leftMs) * 1e6, signal);
      if (!calm()) return rested('something happened');
      // A step that is cut short by the end of the rest says little.
      if (leftMs <= stepMs) {
        this.#beat();
        return rested('it was time');
      }
      const pulse = this.#beat();
      if (pulse === undefined) return rested('the kernel does not tell how it goes');
      const change = changeOf(this.#known, pulse, config.factor, this.#cpus);
      if (change !== undefined) return rested(change, true);
    }
  }

  /** Since the last one; undefined for the first. */
  #beat(): Pulse | undefined {
    const totals = this.#read();
    const atNs = this.#clock.nowNs();
    const last = this.#last;
    this.#last = totals === undefined ? undefined : { atNs, totals };
    return totals === undefined || last === undefined
      ? undefined
      : pulseBetween(last.totals, totals, atNs - last.atNs);
  }
}
