// SPDX-License-Identifier: Apache-2.0
import type { GuardConfig } from './config.ts';
import type { GuardState, Quarantined } from './state.ts';

/** What a quarantine is about: another version or kernel is another case. */
export interface Subject {
  readonly policy: string;
  readonly version: string;
  readonly kernel: string;
}

/** Entries that are kept, the latest: expired ones count how often. */
const MOST = 64;

export function sameSubject(a: Subject, b: Subject): boolean {
  return a.policy === b.policy && a.version === b.version && a.kernel === b.kernel;
}

/** The entry that keeps a policy from being switched to now. */
export function quarantinedNow(state: GuardState, subject: Subject, nowNs: number): Quarantined | undefined {
  return state.quarantine.find((entry) => sameSubject(entry, subject) && entry.untilNs > nowNs);
}

/** The same state with one more stay: twice as long as the one before. */
export function quarantine(
  state: GuardState,
  subject: Subject,
  why: string,
  nowNs: number,
  { quarantine: { firstMs, mostMs } }: GuardConfig,
): GuardState {
  const before = state.quarantine.find((entry) => sameSubject(entry, subject));
  const times = (before?.times ?? 0) + 1;
  const ms = Math.min(mostMs, firstMs * 2 ** Math.min(52, times - 1));
  const { policy, version, kernel } = subject;
  const entry = { policy, version, kernel, untilNs: nowNs + ms * 1e6, times, why };
  const others = state.quarantine.filter((each) => each !== before);
  return { ...state, quarantine: [...others, entry].slice(-MOST) };
}
