// SPDX-License-Identifier: Apache-2.0

/** Lines of a table with aligned columns, two spaces apart; a column's title is its key in the first row. */
export function alignedTable(rows: readonly Readonly<Record<string, string>>[]): string[] {
  const titles = Object.keys(rows[0] ?? {});
  const cells = [titles, ...rows.map((row) => titles.map((title) => row[title] ?? ''))];
  const widths = titles.map((_title, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
