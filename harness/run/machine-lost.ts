// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../core/trial.ts';
import type { GuestOutcome } from '../lab/engine.ts';

/** The last line of a guest whose kernel gave up. */
export const PANIC = /Kernel panic - not syncing: .*/;

/** The guest's kernel ended the machine, because its agent did not run when a step was to end (bpf/guest/idle). */
export const NOT_SCHEDULED = 'pmvx: the agent was not scheduled';

/** Nothing that a guest does makes its emulator end by one of these: somebody, or a host without memory, sent it. */
const FROM_OUTSIDE = /\bkilled by SIG(?:KILL|TERM|INT|HUP|QUIT)\b/;

/**
 * Whether the VM process ended for a reason outside the guest: something killed it, or it never came up. Such a trial
 * says nothing about its policy and is worth one more attempt. A panic is the guest's own and is not.
 */
export function machineLost(outcome: GuestOutcome): boolean {
  if (outcome.ended !== 'died' || PANIC.test(outcome.consoleTail)) return false;
  return neverSpoke(outcome) || /\bSIG[A-Z]+\b/.test(outcome.cause ?? '');
}

/**
 * Whether a machine that was lost once too often is left without a record, to be tried again when the run is gone on with: what ended it
 * cannot be the trial's doing. An emulator that a signal of its own ended (SIGSEGV, SIGABRT) may have met a fault that the trial finds each time.
 */
export function saysNothing(outcome: GuestOutcome): boolean {
  return machineLost(outcome) && (neverSpoke(outcome) || FROM_OUTSIDE.test(outcome.cause ?? ''));
}

function neverSpoke({ frames, neverRan }: GuestOutcome): boolean {
  return frames.length === 0 || neverRan === true;
}

/** What the reason of a record begins with when the machine itself ended, and when the host stopped it. */
export const DIED = 'the VM died';
export const STOPPED = 'the guest was stopped after';

/** Whether a trial ended as it did because of its host, as far as its record tells: on another host it may end otherwise. */
export function lostToHost(record: TrialRecord): boolean {
  if (record.state === 'crashed') return record.reason.startsWith(DIED);
  return record.state === 'timed-out' && record.reason.startsWith(STOPPED);
}
