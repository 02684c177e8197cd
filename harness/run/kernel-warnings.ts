// SPDX-License-Identifier: Apache-2.0
import { boundedText } from '../core/guest-text.ts';

/**
 * What the kernel warns of when a trial is not what it seems: memory that is exhausted, tasks and CPUs that do not go on, its own faults.
 * Sources: mm/page_alloc.c, mm/oom_kill.c, kernel/hung_task.c, kernel/rcu/tree_stall.h, kernel/watchdog.c, lib/bug.c, kernel/sched.
 */
const WARNINGS = [
  /\bpage allocation (?:stalls?|failure)\b/,
  /\bOut of memory: Killed process \d+/,
  /\bOut of memory and no killable processes/,
  /\bINFO: task .* blocked for more than \d+ seconds/,
  /\brcu: INFO: .*(?:detected|self-detected) stall/,
  /\brcu: .*kthread .*starved for \d+ jiffies/,
  /\bsoft lockup - CPU#\d+ stuck\b/,
  /\b[Hh]ard LOCKUP\b/,
  /^(?:BUG|WARNING): /,
  /^watchdog: BUG: /,
  /^Oops\b/,
  /^general protection fault\b/,
  /\bsched: (?:RT throttling activated|DL replenish lagged too much)/,
] as const;

/** `[   12.345678] words` on a console, `4,512,12345678,-;words` in /dev/kmsg (microseconds). */
const CONSOLE = /^\[\s*(\d+\.\d+)\](?:\[[^\]]*\])? (.*)$/;
const KMSG = /^\d+,\d+,(\d+),[^;]*;(.*)$/;

const MOST = 5;

/**
 * The kernel's warnings in a log, in its own words and their order, each kind of line once and five at most. Of a machine that was quiet
 * at `sinceSeconds` those after that: what a kernel has to say of its boot is the same for every trial.
 */
export function kernelWarnings(log: string, sinceSeconds = 0): string[] {
  const found: string[] = [];
  const kinds = new Set<string>();
  for (const line of boundedText(log).split(/\r?\n/)) {
    const kmsg = KMSG.exec(line);
    const [, time, words = ''] = kmsg ?? CONSOLE.exec(line) ?? [];
    if (time === undefined || Number(time) / (kmsg === null ? 1 : 1e6) < sinceSeconds) continue;
    const text = words.trim();
    if (!WARNINGS.some((pattern) => pattern.test(text))) continue;
    const kind = text.replaceAll(/\d+/g, '#');
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    if (found.length < MOST) found.push(text.slice(0, 300));
  }
  return found;
}
