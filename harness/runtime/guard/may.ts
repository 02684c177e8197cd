// SPDX-License-Identifier: Apache-2.0
import { EEVDF, type GuardRule } from '../contracts.ts';
import { dwellLeftNs, dwellMs, lastHour } from './dwell.ts';
import { quarantinedNow } from './quarantine.ts';
import type { GuardState } from './state.ts';
import type { GuardContext } from './step.ts';

export interface Obstacle {
  readonly rule: GuardRule;
  readonly because: string;
}

/** What keeps a wanted switch from being made now; undefined when nothing does. */
export function mayHold(
  state: GuardState,
  to: string,
  nowNs: number,
  canLog: boolean,
  context: GuardContext,
): Obstacle | undefined {
  const { config, kernel, versionOf } = context;
  const version = to === EEVDF ? '' : versionOf(to);
  if (version === undefined) return { rule: 'not-available', because: `${to} cannot be used here` };
  const kept = quarantinedNow(state, { policy: to, version, kernel }, nowNs);
  if (kept !== undefined) {
    const left = seconds(kept.untilNs - nowNs);
    return { rule: 'quarantined', because: `${to} is in quarantine for ${left} more (${kept.why})` };
  }
  const leftNs = dwellLeftNs(state, config, nowNs);
  if (leftNs > 0) {
    const dwell = seconds(dwellMs(state, config) * 1e6);
    return {
      rule: 'dwell',
      because: `${state.policy} must stay for ${seconds(leftNs)} more; the dwell is ${dwell}`,
    };
  }
  const made = lastHour(state.switchesNs, nowNs).length;
  // Who leaves home must be able to come back: the way back is counted before it is needed.
  const needs = to === EEVDF ? 1 : 2;
  if (made + needs > config.switchesAnHour) {
    const most = config.switchesAnHour;
    return {
      rule: 'rate',
      because: `${made} switches were made in the last hour; at most ${most} are allowed, the way home among them`,
    };
  }
  if (!canLog)
    return {
      rule: 'journal',
      because: 'the journal takes no lines, and what cannot be recorded is not done',
    };
  return undefined;
}

function seconds(ns: number): string {
  return `${(ns / 1e9).toFixed(ns < 10e9 ? 1 : 0)} s`;
}
