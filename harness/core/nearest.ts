// SPDX-License-Identifier: Apache-2.0

/** The candidate that `name` was most likely meant to be, or undefined when none is close. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  if (best === undefined) return undefined;
  // A quarter of the letters may differ: more than that is another word, above all where names share a prefix.
  const allowed = Math.max(1, Math.floor(Math.max(name.length, best.candidate.length) / 4));
  return best.distance <= allowed ? best.candidate : undefined;
}

/** The next step after an unknown name: the likely one, or all that are known. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const known = [...candidates];
  const guess = nearest(name, known);
  if (guess !== undefined) return `Did you mean ${guess}?`;
  return known.length === 0 ? 'There is none to choose from' : `Known are: ${known.join(', ')}`;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = cell(rows, i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, cell(rows, i - 1, j) + 1, (row[j - 1] as number) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, cell(rows, i - 2, j - 2) + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return cell(rows, a.length, b.length);
}

function cell(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] as number;
}
