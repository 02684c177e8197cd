// SPDX-License-Identifier: Apache-2.0
import { printableLines } from './printable.ts';

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

/** What a spreadsheet would take for a formula, when more than one character follows from it. */
const FORMULA = /^[\t\r\n ]*[=+\-@]./s;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?: ?%)?$/i;

/** One cell, quoted where it holds a separator, a quote or a line end; text is printable, and never begins as a formula does. */
export function formatCell(cell: CsvCell): string {
  const text = typeof cell === 'string' ? plainText(cell) : cell === undefined ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** An apostrophe before a formula makes it text (OWASP, CSV injection). */
function plainText(cell: string): string {
  const text = printableLines(cell).replaceAll('\t', '\\u0009');
  return FORMULA.test(cell) && !NUMBER.test(cell) ? `'${text}` : text;
}
