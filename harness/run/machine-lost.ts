// SPDX-License-Identifier: Apache-2.0
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
