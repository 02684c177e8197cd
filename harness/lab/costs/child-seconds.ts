// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** Ticks a second of the times in /proc, on every Linux that Node runs on. */
const TICKS = 100;

/**
 * Processor seconds of all child processes that have ended and been waited for. A machine's share of a busy host shows in its wall time,
 * not in this.
 */
export function endedChildSeconds(stat: string = readFileSync('/proc/self/stat', 'latin1')): number {
  // The second field, a name in parentheses, may hold anything; cutime and cstime are the 16th and 17th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}
