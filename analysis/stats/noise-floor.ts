// SPDX-License-Identifier: Apache-2.0
import type { PairedRatio } from './paired-ratio.ts';

/**
 * The noise floor of a workload, as a factor F >= 1: ratios from 1 / F to F are what the baseline shows against itself. It is the end
 * of the A/A control's 95 % interval that is farther from 1: all that the control cannot tell from nothing. Undefined without an interval.
 */
export function noiseFloor(control: PairedRatio | undefined): number | undefined {
  if (control?.kind !== 'interval') return undefined;
  return Math.max(control.high, 1 / control.low);
}
