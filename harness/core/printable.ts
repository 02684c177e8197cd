// SPDX-License-Identifier: Apache-2.0

/** What a terminal may obey, or a reader cannot see: controls, format and direction characters, line separators, halves of a pair. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const UNSEEN_IN_LINES = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text with every control, format and direction character escaped as JSON does: what a message may repeat to a terminal. */
export function printable(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** As `printable`, of text that has lines: line ends and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(UNSEEN_IN_LINES, escaped);
}

/** A value whose texts, keys among them, are printable; all else stays as it is. */
export function printableData(value: unknown): unknown {
  if (typeof value === 'string') return printableLines(value);
  if (Array.isArray(value)) return value.map(printableData);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [printable(key), printableData(inner)]),
  );
}

/** Colours (SGR), and the screen that is cleared before it is drawn anew. */
const ESC = String.fromCharCode(27);
const OWN_SEQUENCE = new RegExp(`(^${ESC}\\[H${ESC}\\[J|${ESC}\\[\\d{1,2}m)`);

/** A line as it is written: printable, and on a terminal with the sequences that pmvx itself uses. */
export function terminalLine(line: string, isTTY: boolean): string {
  if (!isTTY) return printableLines(line);
  return line
    .split(OWN_SEQUENCE)
    .map((part, at) => (at % 2 === 1 ? part : printableLines(part)))
    .join('');
}

/** In units of UTF-16, so that it is the same text in JSON. */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}
