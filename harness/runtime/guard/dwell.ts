// SPDX-License-Identifier: Apache-2.0
import type { GuardConfig } from './config.ts';
import type { GuardState } from './state.ts';

const HOUR_NS = 3600e9;
const MOST_RETURNS = 30;
/** How much of an older, larger cost is kept at each switch: one slow switch is forgotten after some dozens. */
const KEPT = 0.95;

/**
 * Least time under a policy, ms: given, or such that the measured cost of a switch is at most a small share of it; twice as long for each return within the
 * hour, so that a map that cannot decide does not use up the hour's switches.
 */
export function dwellMs(state: GuardState, { dwell }: GuardConfig): number {
  if (dwell.ms !== undefined) return dwell.ms;
  const fromCost = state.costNs === undefined ? 0 : state.costNs / 1e6 / dwell.costShare;
  const returns = Math.min(MOST_RETURNS, returnsOf(state.arrivals ?? []));
  return Math.min(dwell.atMostMs, Math.max(dwell.atLeastMs, fromCost) * 2 ** returns);
}

type Arrivals = NonNullable<GuardState['arrivals']>;

/** Arrivals of the hour that ends now, with one more. */
export function arrivalsWith(known: Arrivals | undefined, policy: string, nowNs: number): Arrivals {
  return [...recentArrivals(known, nowNs), { policy, atNs: nowNs }];
}

export function recentArrivals(known: Arrivals | undefined, nowNs: number): Arrivals {
  return (known ?? []).filter(({ atNs }) => atNs > nowNs - HOUR_NS);
}

/** How often a policy came that had been there before. */
function returnsOf(arrivals: Arrivals): number {
  return arrivals.length - new Set(arrivals.map(({ policy }) => policy)).size;
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
