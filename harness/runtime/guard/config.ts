// SPDX-License-Identifier: Apache-2.0
import type { Objective } from '../../../analysis/policy-map/evidence.ts';

/** What the guard obeys. Times in ms. */
export interface GuardConfig {
  /** Windows in a row that must name a policy before it is switched to. */
  readonly windows: number;
  /**
   * Least time under a policy: `ms`, or as long as makes the measured cost of a switch at most `costShare` of it, doubled for each return to a policy within
   * the hour.
   */
  readonly dwell: {
    readonly ms?: number | undefined;
    readonly costShare: number;
    readonly atLeastMs: number;
    readonly atMostMs: number;
  };
  /** Switches in any 60 minutes, those home to EEVDF included. At least 2: there and back. */
  readonly switchesAnHour: number;
  /** How long a policy that was thrown out, refused, or did harm is left alone: `firstMs`, doubled each time up to `mostMs`. */
  readonly quarantine: { readonly firstMs: number; readonly mostMs: number };
  readonly harm: HarmConfig;
  /** After somebody else's scheduler went: so long nothing is switched. */
  readonly asideMs: number;
}

export interface HarmConfig {
  /** Windows right after a switch that are not judged: caches are cold, queues drain. */
  readonly settle: number;
  /** Windows whose median is judged. */
  readonly windows: number;
  /** Windows after a switch in which its effect can be told from a changed load. */
  readonly watch: number;
  /** Chord from the window before the switch, beyond which the load is another one. */
  readonly sameLoad: number;
  /** Share of progress lost that is harm. */
  readonly progress: number;
  /** Factor of the 99th percentile of waiting for a CPU that is harm, unless progress grew; the histogram knows powers of two. */
  readonly tail: number;
  /** Factor of the mean wait that must go with it. */
  readonly mean: number;
  /** Share of the time under CPU pressure, added, that is harm, unless progress grew. */
  readonly pressure: number;
  /** Windows in a row without any sign of how the machine fares, after which a policy is not kept. */
  readonly blind: number;
  /** By what the map chooses policies: by that they are judged; absent: by all that is seen. */
  readonly objective?: Objective | undefined;
}

export const GUARD_DEFAULTS: GuardConfig = {
  windows: 3,
  dwell: { costShare: 0.01, atLeastMs: 1_000, atMostMs: 300_000 },
  switchesAnHour: 60,
  quarantine: { firstMs: 300_000, mostMs: 86_400_000 },
  harm: {
    settle: 1,
    windows: 3,
    watch: 20,
    sameLoad: 0.5,
    progress: 0.1,
    tail: 4,
    mean: 1.5,
    pressure: 0.2,
    blind: 5,
  },
  asideMs: 30_000,
};
