// SPDX-License-Identifier: Apache-2.0
/** Seconds from when the policy took over in a run to its end: the harness's own metric of runs of fixed work. */
export const TIME_AFTER = 'time_after';

/** Which way is better. */
export type Direction = 'lower' | 'higher';

/** A measured value with all that is needed to read it. `value` is always finite. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly direction: Direction;
  /** The one metric by which a workload is ranked. */
  readonly primary: boolean;
  readonly value: number;
}
