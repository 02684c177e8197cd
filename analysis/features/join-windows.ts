// SPDX-License-Identifier: Apache-2.0
import { addCounted, type Counted } from './counted.ts';

/** Windows that follow one another, taken as one. */
export interface JoinedWindow {
  /** Number of the first of them, from 0. */
  readonly first: number;
  readonly counted: Counted;
}

/** As long as was asked for is within a tenth: readings come a little late. */
const NEARLY = 0.9;

/** Windows of `ms` and little more, each of as few of these as it takes; what is left at the end and is shorter is left out. */
export function joinWindows(windows: readonly Counted[], ms: number): JoinedWindow[] {
  const joined: JoinedWindow[] = [];
  let first = 0;
  let sum: Counted | undefined;
  windows.forEach((window, at) => {
    sum = sum === undefined ? window : addCounted([sum, window]);
    if (sum === undefined || sum.durationNs < NEARLY * ms * 1e6) return;
    joined.push({ first, counted: sum });
    first = at + 1;
    sum = undefined;
  });
  return joined;
}
