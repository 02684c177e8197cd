// SPDX-License-Identifier: Apache-2.0
import type { PlannedTrial, TrialRecord } from '../core/trial.ts';

/** What the controller tells whoever watches. */
export type RunEvent =
  | { readonly kind: 'begun'; readonly total: number; readonly recorded: readonly TrialRecord[] }
  | { readonly kind: 'started'; readonly planned: PlannedTrial; readonly attempt: number }
  /** A machine is gone for a reason outside the guest; `again`: the trial gets another one at once. */
  | { readonly kind: 'lost'; readonly planned: PlannedTrial; readonly cause: string; readonly again: boolean }
  | { readonly kind: 'recorded'; readonly planned: PlannedTrial; readonly record: TrialRecord };

/** Called in the order in which things happen; must not throw. */
export type RunWatcher = (event: RunEvent) => void;
