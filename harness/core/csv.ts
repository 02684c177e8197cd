// SPDX-License-Identifier: Apache-2.0
/** A cell of a CSV file; `undefined` is missing and becomes an empty cell. */
export type CsvCell = string | number | boolean | undefined;

/**
 * RFC 4180 with `\n` line ends: quotes only where they are needed. Numbers are the shortest text that reads
 * back equal.
 */
export function formatCsv(header: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return csvLines([header]) + csvLines(rows);
}

/** Rows alone, each with its line end. */
export function csvLines(rows: readonly (readonly CsvCell[])[]): string {
  return rows.map((row) => `${row.map(formatCell).join(',')}\n`).join('');
}

/** One cell, quoted where it holds a separator, a quote or a line end. */
export function formatCell(cell: CsvCell): string {
  const text = cell === undefined ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
