// SPDX-License-Identifier: Apache-2.0
import { MOST_FAILURES } from '../stats/verdict.ts';
import type { OutcomeRow } from './outcome-types.ts';

/** Share of the recorded trials of some rows that did not complete; 0 without any. */
export function failureRate(rows: readonly Pick<OutcomeRow, 'failures' | 'recorded'>[]): number {
  const recorded = rows.reduce((sum, row) => sum + row.recorded, 0);
  const failed = rows.flatMap(({ failures }) => failures).reduce((sum, { trials }) => sum + trials.length, 0);
  return recorded === 0 ? 0 : failed / recorded;
}

/**
 * Ranks the rows of one workload by ratio, 1 the best; equal ratios share a rank. Only policies whose every recorded trial completed are
 * ranked, the baseline at ratio 1 among them: one that fails now and then is not fast, it is broken. A/A controls are not ranked, and
 * nothing is where the baseline itself fails too often: what is left of it is nothing to compare with.
 */
export function rankRows(rows: readonly OutcomeRow[]): OutcomeRow[] {
  const unsound = isUnsound(rows);
  const places = rows.map((row) => {
    const ratio = unsound ? undefined : ratioOf(row);
    return ratio === undefined || row.failures.length > 0 ? undefined : ratio;
  });
  return rows.map((row, at) => {
    const own = places[at];
    if (own === undefined) return row;
    const better = places.filter((other) => other !== undefined && isBetter(other, own, row));
    return { ...row, rank: better.length + 1 };
  });
}

/** Rows with failures whose ratio beats that of the best row without. */
export function unrankedLeaders(rows: readonly OutcomeRow[]): OutcomeRow[] {
  const best = rows.find(({ rank }) => rank === 1);
  const lead = best && ratioOf(best);
  // Where the baseline fails too often nothing is ranked, and so nothing leads.
  if (isUnsound(rows)) return [];
  return rows.filter((row) => {
    const own = ratioOf(row);
    return row.failures.length > 0 && own !== undefined && (lead === undefined || isBetter(own, lead, row));
  });
}

function isUnsound(rows: readonly OutcomeRow[]): boolean {
  return failureRate(rows.filter(({ role }) => role !== 'measure')) > MOST_FAILURES;
}

function ratioOf({ role, ratio, n }: OutcomeRow): number | undefined {
  if (role === 'aa') return undefined;
  if (role === 'baseline') return n > 0 ? 1 : undefined;
  return ratio === undefined || ratio.kind === 'none' ? undefined : ratio.ratio;
}

function isBetter(a: number, b: number, { metric }: OutcomeRow): boolean {
  return metric?.direction === 'higher' ? a > b : a < b;
}
