// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';

/** Durations and deadlines come from the monotonic clock alone: a wall clock that is set must change no decision. */
export interface Clock {
  /** Monotonic, ns since boot. */
  nowNs(): number;
  /** ISO 8601, UTC: for people who read the journal. */
  stamp(): string;
  /** Resolves at `atNs`, at once when that has passed; rejects with the signal's reason. */
  until(atNs: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowNs,
  stamp: () => new Date().toISOString(),
  async until(atNs, signal) {
    for (;;) {
      signal.throwIfAborted();
      const leftMs = (atNs - nowNs()) / 1e6;
      if (leftMs <= 0) return;
      try {
        // A timer may fire a little early; then the rest is waited for.
        await delay(Math.min(leftMs, 60_000), undefined, { signal });
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      }
    }
  },
};

function nowNs(): number {
  return Number(process.hrtime.bigint());
}
