// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';

/** Host milliseconds, from least to most. */
export interface Pauses {
  readonly runMs: readonly [number, number];
  readonly pauseMs: readonly [number, number];
  readonly most: number;
}

/** The emulator once measured windows of 100 ms with the host's clock; these pauses are a little longer. */
export const PAUSE_MS = [105, 130] as const;

/**
 * Stops process `pid` again and again until `done` is aborted, it has ended, or it has had its number of pauses. Returns how many it had.
 * It runs afterwards. `draw` gives numbers from 0 to 1.
 */
export async function pauseAgainAndAgain(
  pid: number,
  { runMs, pauseMs, most }: Pauses,
  draw: () => number,
  done: AbortSignal,
): Promise<number> {
  const within = ([least, largest]: readonly [number, number]) => least + draw() * (largest - least);
  const wait = (ms: number) => sleep(ms, undefined, { signal: done }).catch(() => undefined);
  for (let had = 0; had < most; had++) {
    await wait(within(runMs));
    if (done.aborted || !sent(pid, 'SIGSTOP')) return had;
    await wait(within(pauseMs));
    if (!sent(pid, 'SIGCONT')) return had + 1;
  }
  return most;
}

/** Whether the process was there. */
function sent(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
