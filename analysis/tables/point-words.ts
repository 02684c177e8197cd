// SPDX-License-Identifier: Apache-2.0
import type { ForkPoint } from '../../harness/core/fork-point.ts';

interface OfPoint {
  readonly point?: ForkPoint | string | number | undefined;
}

/** ` at 2s` in a table where policies took over elsewhere than before the run, else nothing. */
export function pointWords({ point }: OfPoint, rows: readonly OfPoint[]): string {
  return rows.some((row) => row.point !== 'quiescent') ? ` at ${point}` : '';
}
