// SPDX-License-Identifier: Apache-2.0
import { boundedText } from './guest-text.ts';
import type { SchedulerExit } from './trial.ts';

/**
 * The kernel's words for why a scheduler left, and their numbers.
 * Source: `enum scx_exit_kind` and `scx_exit_reason()` in kernel/sched/ext.c and ext_internal.h (7.x: kernel/sched/ext/).
 */
const EXIT_KINDS: Readonly<Record<string, number>> = {
  'unregistered from user space': 64,
  'unregistered from BPF': 65,
  'unregistered from the main kernel': 66,
  'disabled by sysrq-S': 67,
  'parent exiting': 68,
  'killed by parent scheduler': 69,
  'runtime error': 1024,
  scx_bpf_error: 1025,
  'runnable task stall': 1026,
  'reenqueue limit': 1027,
  'rescue bandwidth overload': 1028,
};

/** Kinds from here on are the scheduler's fault: the kernel ejected it. */
export const FIRST_ERROR_KIND = 1024;

/** A scheduler's departure as the kernel log tells it. */
export interface KernelExit extends SchedulerExit {
  readonly ops: string;
  /** The line itself and those that explain it. */
  readonly words: string;
}

const DISABLED = /sched_ext: (?:.*: )?BPF scheduler "([^"]*)" disabled \((.*)\)\s*$/;
const SCHED_EXT = /sched_ext: /;
// Lines of a stack trace are indented, after `[   1.234567]` (console) or `4,512,1234567,-;` (/dev/kmsg).
const TRACE = /[\];]\s{2,}\S/;
const EXPLAINING_LINES = 12;

/** Every `BPF scheduler "x" disabled (reason)` of a kernel log, in order, with the lines that follow it. */
export function kernelExits(log: string): KernelExit[] {
  const lines = boundedText(log).split('\n');
  return lines.flatMap((line, at) => {
    const match = DISABLED.exec(line);
    if (match === null) return [];
    const reason = match[2] as string;
    const kind = exitKind(reason);
    return [
      {
        ops: match[1] as string,
        reason,
        ...(kind === undefined ? {} : { kind }),
        words: [line, ...explanation(lines, at + 1)].join('\n').trim(),
      },
    ];
  });
}

/** The kernel's number for its own words; undefined for words that this table does not know. */
export function exitKind(reason: string): number | undefined {
  return Object.hasOwn(EXIT_KINDS, reason) ? EXIT_KINDS[reason] : undefined;
}

function explanation(lines: readonly string[], from: number): string[] {
  const end = Math.min(lines.length, from + EXPLAINING_LINES);
  const result: string[] = [];
  for (let at = from; at < end; at++) {
    const line = lines[at] as string;
    // The kernel prints its message with the prefix and a stack trace of indented lines after it.
    const belongs = (SCHED_EXT.test(line) && !line.includes('BPF scheduler "')) || TRACE.test(line);
    if (!belongs) break;
    result.push(line);
  }
  return result;
}
