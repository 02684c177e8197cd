// SPDX-License-Identifier: Apache-2.0
import type { Direction } from '../../harness/core/metric.ts';
import type { PairedRatio } from './paired-ratio.ts';

export type Verdict = 'better' | 'worse' | 'unclear' | 'same';

/**
 * Whether a policy is better than its baseline: only an interval that excludes 1 decides. `same`: equal in
 * every block. Undefined where there is no interval to decide by.
 */
export function verdict(ratio: PairedRatio, direction: Direction): Verdict | undefined {
  if (ratio.kind !== 'interval') return undefined;
  if (ratio.low === 1 && ratio.high === 1) return 'same';
  if (ratio.low <= 1 && ratio.high >= 1) return 'unclear';
  return ratio.high < 1 === (direction === 'lower') ? 'better' : 'worse';
}
