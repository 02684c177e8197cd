// SPDX-License-Identifier: Apache-2.0
import type { OutcomeRow } from './outcome-types.ts';

/**
 * Ranks the rows of one workload by ratio, 1 the best; equal ratios share a rank. Only policies whose every recorded trial completed are
 * ranked, the baseline at ratio 1 among them: one that fails now and then is not fast, it is broken. A/A controls are not ranked.
 */
export function rankRows(rows: readonly OutcomeRow[]): OutcomeRow[] {
  const places = rows.map((row) => {
    const ratio = ratioOf(row);
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
  return rows.filter((row) => {
    const own = ratioOf(row);
    return row.failures.length > 0 && own !== undefined && (lead === undefined || isBetter(own, lead, row));
  });
}

function ratioOf({ role, ratio, n }: OutcomeRow): number | undefined {
  if (role === 'aa') return undefined;
  if (role === 'baseline') return n > 0 ? 1 : undefined;
  return ratio === undefined || ratio.kind === 'none' ? undefined : ratio.ratio;
}

function isBetter(a: number, b: number, { metric }: OutcomeRow): boolean {
  return metric?.direction === 'higher' ? a > b : a < b;
}
