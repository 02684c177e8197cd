// SPDX-License-Identifier: Apache-2.0
import type { TableInput } from '../../analysis/tables/outcome-types.ts';
import type { StoredRun } from '../../harness/store/run-folder.ts';
import { tableOf } from '../run-figures.ts';

/** A run that a report is about: where its numbers come from. */
export interface ReportedRun extends Pick<StoredRun, 'spec' | 'provenance'> {
  /** How the run is named in commands. */
  readonly folder: string;
  /** What reading the run found, in words. */
  readonly notices?: readonly string[];
}

export interface ReportInput {
  /** The trials of all runs together. */
  readonly table: TableInput;
  /** In order; at least one. */
  readonly runs: readonly [ReportedRun, ...ReportedRun[]];
}

/** A report about one run. */
export function aboutOne(run: ReportedRun & Pick<StoredRun, 'plan' | 'records'>): ReportInput {
  return { table: tableOf(run), runs: [run] };
}
