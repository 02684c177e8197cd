// SPDX-License-Identifier: Apache-2.0
/** Times of one piece of work, picoseconds: pinned to each vCPU alone, pinned to each with all busy, and unpinned. */
export interface Shares {
  readonly alone: readonly number[];
  readonly together: readonly number[];
  readonly unpinned: number;
}

/** (slowest - fastest) / fastest over all times. */
export function shareSpread({ alone, together, unpinned }: Shares): number {
  const all = [...alone, ...together, unpinned];
  const fastest = Math.min(...all);
  return (Math.max(...all) - fastest) / fastest;
}
