// SPDX-License-Identifier: Apache-2.0
import { benjaminiHochberg, holm } from '../stats/adjust.ts';
import type { OutcomeRow } from './outcome-types.ts';

/** Adjusts over the whole matrix: every measured cell that was tested, whatever came of it. */
export function withAdjusted(rows: readonly OutcomeRow[]): OutcomeRow[] {
  const measured = rows.filter(({ role }) => role === 'measure');
  const flips = adjustedOver(measured, ({ statistics }) => statistics?.p, holm);
  const shares = adjustedOver(measured, ({ statistics }) => statistics?.p, benjaminiHochberg);
  const student = adjustedOver(
    measured,
    ({ ratio }) => (ratio?.kind === 'interval' ? ratio.p : undefined),
    holm,
  );
  return rows.map((row) => {
    const [byHolm, bh, tHolm] = [flips.get(row), shares.get(row), student.get(row)];
    if (byHolm === undefined || bh === undefined) return row;
    return { ...row, adjusted: { holm: byHolm, bh, ...(tHolm === undefined ? {} : { tHolm }) } };
  });
}

function adjustedOver(
  rows: readonly OutcomeRow[],
  pOf: (row: OutcomeRow) => number | undefined,
  method: (p: readonly number[]) => number[],
): ReadonlyMap<OutcomeRow, number> {
  const tested = rows.flatMap((row) => {
    const p = pOf(row);
    return p === undefined ? [] : [{ row, p }];
  });
  const adjusted = method(tested.map(({ p }) => p));
  return new Map(tested.map(({ row }, at) => [row, adjusted[at] as number]));
}
