// SPDX-License-Identifier: Apache-2.0

/**
 * Where in a trial the policy takes over; up to there all policies share every bit.
 *
 * `quiescent`: on the idle machine, before warm-up and workload. `warm`: while the workload runs, once it is warm (its `warm_s`).
 * `2s`, `0.25s`: while it runs, so long after its start, in guest time.
 */
export type ForkPoint = 'quiescent' | 'warm' | `${number}s`;

/** Latest time into a run, in seconds: no workload may take longer. */
export const LATEST_FORK_S = 3600;

/** How a point is written; 0 and times beyond the latest are none. */
export const POINT_PATTERN = /^(?:quiescent|warm|(?:0|[1-9][0-9]{0,3})(?:\.[0-9]{1,3})?s)$/;

export function isForkPoint(text: string): text is ForkPoint {
  if (!POINT_PATTERN.test(text)) return false;
  if (text === 'quiescent' || text === 'warm') return true;
  const seconds = Number.parseFloat(text);
  return seconds > 0 && seconds <= LATEST_FORK_S;
}

/** One spelling for each time: `2.50s` is `2.5s`. */
export function canonicalPoint(point: ForkPoint): ForkPoint {
  return point === 'quiescent' || point === 'warm' ? point : `${Number.parseFloat(point)}s`;
}

/** Milliseconds of the run at which the policy takes over; undefined for `quiescent`. `warmSeconds` is the workload's. */
export function forkPointMs(point: ForkPoint, warmSeconds: number): number | undefined {
  if (point === 'quiescent') return undefined;
  return Math.round((point === 'warm' ? warmSeconds : Number.parseFloat(point)) * 1000);
}
