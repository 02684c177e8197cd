// SPDX-License-Identifier: Apache-2.0
import type { TrialRecord } from '../core/trial.ts';
import type { GuestOutcome } from '../lab/engine.ts';

/** The last line of a guest whose kernel gave up. */
export const PANIC = /Kernel panic - not syncing: .*/;

/**
 * Whether the VM process ended for a reason outside the guest: something killed it, or it never came up. Such a trial
 * says nothing about its policy and is worth one more attempt. A panic is the guest's own and is not.
 */
export function machineLost(outcome: GuestOutcome): boolean {
  if (outcome.ended !== 'died' || PANIC.test(outcome.consoleTail)) return false;
  return outcome.frames.length === 0 || /\bSIG[A-Z]+\b/.test(outcome.cause ?? '');
}

/** What the reason of a record begins with when the machine itself ended, and when the host stopped it. */
export const DIED = 'the VM died';
export const STOPPED = 'the guest was stopped after';

/** Whether a trial ended as it did because of its host, as far as its record tells: on another host it may end otherwise. */
export function lostToHost(record: TrialRecord): boolean {
  if (record.state === 'crashed') return record.reason.startsWith(DIED);
  return record.state === 'timed-out' && record.reason.startsWith(STOPPED);
}
