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
  /** What the scheduler or the kernel said of it, such as `cpu 3 going offline, exiting scheduler`. */
  readonly message?: string;
  /** The line itself and those that explain it. */
  readonly words: string;
}

const DISABLED = /sched_ext: (?:.*: )?BPF scheduler "([^"]*)" disabled \((.*)\)\s*$/;
const ENABLED = /sched_ext: BPF scheduler "([^"]*)" enabled\s*$/;
const OFFLINE = /\bCPU \d+ is now offline\b/g;
const FROM_KERNEL = 'unregistered from the main kernel';
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
    const ops = match[1] as string;
    const kind = exitKind(reason);
    const explained = explanation(lines, at + 1);
    const message = messageOf(ops, explained[0]);
    return [
      {
        ops,
        reason,
        ...(kind === undefined ? {} : { kind }),
        ...(message === undefined ? {} : { message }),
        words: [line, ...explained].join('\n').trim(),
      },
    ];
  });
}

/**
 * What a scheduler's program printed of its first exit for this reason: `EXIT: REASON (MESSAGE)` (UEI_REPORT of scx), the only place of the
 * message where the exit is no error.
 */
export function reportedMessage(policyLog: string, reason: string): string | undefined {
  const start = `EXIT: ${reason} (`;
  const line = boundedText(policyLog)
    .split('\n')
    .find((each) => each.includes(start));
  if (line === undefined) return undefined;
  const rest = line.slice(line.indexOf(start) + start.length);
  const end = rest.lastIndexOf(')');
  return end > 0 ? rest.slice(0, end) : undefined;
}

/** The last CPU that went before the scheduler did, in the kernel's words: the kernel ends schedulers that cannot do without it. */
export function lostCpu(log: string, exit: KernelExit): string | undefined {
  const before = boundedText(log).split(exit.words)[0] ?? '';
  return exit.reason === FROM_KERNEL ? (before.match(OFFLINE)?.at(-1) ?? undefined) : undefined;
}

/** Names of the schedulers that a kernel log tells to have been enabled, in order. */
export function kernelEnables(log: string): string[] {
  return boundedText(log)
    .split('\n')
    .flatMap((line) => ENABLED.exec(line)?.[1] ?? []);
}

/** The kernel prints `sched_ext: NAME: MESSAGE` after the reason, when the exit has a message. */
function messageOf(ops: string, line: string | undefined): string | undefined {
  const prefix = `sched_ext: ${ops}: `;
  const at = line?.indexOf(prefix) ?? -1;
  const message = at < 0 ? '' : (line as string).slice(at + prefix.length).trim();
  return message === '' ? undefined : message;
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
