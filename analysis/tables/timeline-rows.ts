// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord, TrialState } from '../../harness/core/trial.ts';

/** When one trial ran on the host. */
export interface TimelineRow {
  readonly trial: string;
  readonly block: number;
  readonly workload: string;
  readonly policy: string;
  readonly role: 'measure' | 'aa';
  readonly state: TrialState;
  /** Seconds of the host's clock since the first trial started. */
  readonly start: number;
  readonly end: number;
  /** Lowest number that no other trial had at that time, from 0: there are as many as ran at once. */
  readonly slot: number;
}

/** The trials of a run by when they started, each in a slot of its own while it ran. */
export function timelineRows(records: readonly TrialRecord[]): TimelineRow[] {
  const timed = records
    .map((record) => ({ record, at: Date.parse(record.host.startedAt) / 1000 }))
    .filter(({ at }) => Number.isFinite(at))
    .sort((a, b) => a.at - b.at || (a.record.trial < b.record.trial ? -1 : 1));
  const origin = timed[0]?.at ?? 0;
  const freeFrom: number[] = [];
  return timed.map(({ record, at }) => {
    const { trial, block, workload, policy, role, state, host } = record;
    const start = at - origin;
    const end = start + Math.max(0, host.seconds);
    // A clock that is read a moment after the trial before had ended: a millisecond is no overlap.
    const free = freeFrom.findIndex((from) => from <= start + 0.001);
    const slot = free === -1 ? freeFrom.length : free;
    freeFrom[slot] = end;
    return { trial, block, workload, policy, role, state, start, end, slot };
  });
}
