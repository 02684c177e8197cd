// SPDX-License-Identifier: Apache-2.0

/** A trial that is running or has not begun. */
export interface OpenTrial {
  /** What makes trials take alike: the workload. */
  readonly key: string;
  /** Seconds that it has been running; 0 when it has not begun. */
  readonly spent: number;
}

/**
 * Seconds until the last trial ends, or undefined before the first has ended. Each open trial is expected to take the
 * median of the ended trials of its key (of all trials when there is none yet), less what it has spent.
 */
export function timeLeft(
  ended: readonly { readonly key: string; readonly seconds: number }[],
  open: readonly OpenTrial[],
  jobs: number,
): number | undefined {
  if (ended.length === 0) return undefined;
  const byKey = Map.groupBy(ended, (trial) => trial.key);
  const overall = median(ended.map((trial) => trial.seconds));
  const expected = open.map(({ key, spent }) => {
    const same = byKey.get(key);
    return Math.max(0, (same ? median(same.map((trial) => trial.seconds)) : overall) - spent);
  });
  // No schedule beats the sum shared out, nor the longest trial alone.
  return Math.max(expected.reduce((sum, seconds) => sum + seconds, 0) / jobs, ...expected, 0);
}

/** `45 s`, `12 min`, `3 h 05 min`: as exact as an estimate deserves. */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}
