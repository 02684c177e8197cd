// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names one process for all time: pids are used again, so the boot and the start time belong to it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and the start of the process. */
  readonly startTicks: string;
  readonly bootId: string;
  /** Pids mean nothing outside their namespace (containers). */
  readonly pidNamespace: string;
  /** Nor do start times outside theirs, whose clock begins elsewhere; absent where the kernel has no such namespaces. */
  readonly timeNamespace?: string;
  readonly hostname: string;
}

/** The process that runs this code. */
export function ownIdentity(): ProcessIdentity {
  const timeNamespace = namespaceOf('time');
  return {
    pid: process.pid,
    startTicks: runningSince(process.pid) ?? '',
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pidNamespace: readlinkSync('/proc/self/ns/pid'),
    ...(timeNamespace === undefined ? {} : { timeNamespace }),
    hostname: hostname(),
  };
}

/** Whether `other` still runs, as far as `self` can see; `unknown` across containers and machines. */
export function liveness(other: ProcessIdentity, self: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (other.bootId !== self.bootId) return other.hostname === self.hostname ? 'dead' : 'unknown';
  if (other.pidNamespace !== self.pidNamespace) return 'unknown';
  // Seen from another clock the start time differs; that there is no such process at all is seen all the same.
  if (other.timeNamespace !== self.timeNamespace && runningSince(other.pid) !== undefined) return 'unknown';
  return runningSince(other.pid) === other.startTicks ? 'alive' : 'dead';
}

function namespaceOf(kind: 'time'): string | undefined {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/**
 * Start time of a running process; undefined when there is none or it is a zombie, which does nothing any more.
 */
function runningSince(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold spaces and parentheses; the state follows the last one, starttime is field
  // 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
