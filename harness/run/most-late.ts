// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../core/fork-point.ts';
import type { EngineName } from '../core/trial.ts';
import type { Verdict } from './verdict.ts';

/** Of what was due so many seconds after the start, this part more or less is on time. */
const RELATIVE = 0.05;
/** And so many seconds besides: attaching a scheduler takes some milliseconds. */
const ABSOLUTE_S = 0.05;
/** Where guest time is the host's, a busy host comes late. */
const ON_REAL_TIME_S = 0.25;

/** How many seconds off the plan something that was due `dueSeconds` after a start may happen. */
export function mostLate(dueSeconds: number, engine: EngineName): number {
  const virtual = engine === 'exact' || engine === 'mock';
  return (virtual ? ABSOLUTE_S : ON_REAL_TIME_S) + RELATIVE * dueSeconds;
}

/** A policy that took over too far from the planned time, or after the run; times of the run in ns. */
export function misTimed(
  point: ForkPoint,
  plannedMs: number | undefined,
  engine: EngineName,
  { forkNs, activeNs, elapsedNs }: { forkNs: number; activeNs: number; elapsedNs: number },
): Verdict | undefined {
  if (plannedMs === undefined) return undefined;
  const due = plannedMs / 1000;
  const most = mostLate(due, engine);
  const chosen = forkNs / 1e9;
  const active = activeNs / 1e9;
  if (Math.abs(chosen - due) <= most && active - due <= most && activeNs <= elapsedNs) return undefined;
  const when =
    activeNs > elapsedNs
      ? `after the run, which lasted ${(elapsedNs / 1e9).toFixed(3)} s`
      : `${active.toFixed(3)} s into the run (chosen at ${chosen.toFixed(3)} s)`;
  const planned = point === 'warm' ? `${due} s (warm)` : `${due} s`;
  return {
    state: 'refused',
    reason: `the policy took over ${when}; planned was ${planned}, give or take ${most.toFixed(3)} s`,
  };
}
