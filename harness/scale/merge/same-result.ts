// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../../core/ids.ts';
import type { EngineName, TrialRecord } from '../../core/trial.ts';
import { type Difference, differences } from '../../run/differences.ts';
import { lostToHost } from '../../run/machine-lost.ts';

/** Two records of one trial. */
export type Compared =
  /** One and the same record, host facts and all: it was merged before. */
  | 'identical'
  /** Measured twice, with the same result to the bit. */
  | 'equal'
  /** One of them ended because of its host, so nothing follows. */
  | 'undecided'
  /** Measured twice, with different results. */
  | { readonly differ: readonly Difference[] };

/** Engines on which a trial's result depends on the trial alone. */
export function isDeterministic(engine: EngineName): boolean {
  return engine === 'exact' || engine === 'mock';
}

/** How two records of one trial stand to each other. Their runs, numbers and hosts do not matter. */
export function compareRecords(a: TrialRecord, b: TrialRecord): Compared {
  const found = differences(measuredOf(a), measuredOf(b));
  if (found.length === 0) return canonicalJson(a.host) === canonicalJson(b.host) ? 'identical' : 'equal';
  if (lostToHost(a) || lostToHost(b)) return 'undecided';
  return { differ: found };
}

/** Of two records that may stand for one trial the one that does, whichever comes first: what a host cut short, if anything, is left. */
export function preferred(a: TrialRecord, b: TrialRecord): TrialRecord {
  if (lostToHost(a) !== lostToHost(b)) return lostToHost(a) ? b : a;
  return orderOf(a) <= orderOf(b) ? a : b;
}

function orderOf(record: TrialRecord): string {
  return `${record.host.startedAt} ${canonicalJson([record.host, measuredOf(record)])}`;
}

function measuredOf({ run: _run, trial: _trial, host: _host, ...measured }: TrialRecord): unknown {
  return measured;
}
