// SPDX-License-Identifier: Apache-2.0
import type { GuardConfig } from './config.ts';
import type { GuardState } from './state.ts';

const HOUR_NS = 3600e9;
/** How much of an older, larger cost is kept at each switch: one slow switch is forgotten after some dozens. */
const KEPT = 0.95;

/** Least time under a policy, ms: given, or such that the measured cost of a switch is at most a small share of it. */
export function dwellMs(state: GuardState, { dwell }: GuardConfig): number {
  if (dwell.ms !== undefined) return dwell.ms;
  const fromCost = state.costNs === undefined ? 0 : state.costNs / 1e6 / dwell.costShare;
  return Math.min(dwell.atMostMs, Math.max(dwell.atLeastMs, fromCost));
}

/** How long until a switch may be made, ns; 0 when it may. */
export function dwellLeftNs(state: GuardState, config: GuardConfig, nowNs: number): number {
  const ends = [
    state.sinceNs === undefined ? 0 : state.sinceNs + dwellMs(state, config) * 1e6,
    state.notBeforeNs ?? 0,
  ];
  return Math.max(0, Math.max(...ends) - nowNs);
}

/** Switches of the hour that ends now. */
export function lastHour(switchesNs: readonly number[], nowNs: number): number[] {
  return switchesNs.filter((atNs) => atNs > nowNs - HOUR_NS);
}

/** What switches cost, with one more. */
export function costWith(known: number | undefined, costNs: number): number {
  return Math.max(costNs, (known ?? 0) * KEPT);
}
