// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { formatCell, formatCsv } from './csv.ts';
import { printable, printableData, printableLines, terminalLine } from './printable.ts';

const ESC = String.fromCharCode(27);
/** A screen that is cleared, a title that is set, a C1 control, a direction that turns, an unseen space, a language tag, half a pair, NUL. */
const HOSTILE = [
  `${ESC}[2J`,
  `${ESC}]0;own\u0007`,
  '\u009b2J',
  '\u202eabc',
  '\u200b',
  '\u{e0041}',
  '\ud800',
  '\0',
];
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

for (const text of HOSTILE) {
  test(`${JSON.stringify(printable(text))} never reaches a terminal, a cell or an answer as it is`, (t) => {
    for (const written of [
      printable(text),
      printableLines(text),
      terminalLine(text, false),
      terminalLine(text, true),
      formatCell(text),
      JSON.stringify(printableData({ [text]: [text] })),
    ]) {
      t.notRegex(written, UNSEEN);
    }
    // JSON reads it back.
    t.is(JSON.parse(`"${printable(text)}"`), text);
  });
}

test('text that all can see stays as it is, whatever its language', (t) => {
  for (const text of ['Grüße', '漢字', 'e\u0301', '😀', 'a b']) t.is(printable(text), text);
  t.is(printableLines('a\tb\nc'), 'a\tb\nc');
});

test('on a terminal colours and the clearing of the screen stay, and nothing else', (t) => {
  t.is(terminalLine(`${ESC}[32mgood${ESC}[39m`, true), `${ESC}[32mgood${ESC}[39m`);
  t.is(terminalLine(`${ESC}[H${ESC}[Jscreen`, true), `${ESC}[H${ESC}[Jscreen`);
  t.is(terminalLine(`x${ESC}[H${ESC}[J`, true), 'x\\u001b[H\\u001b[J');
  t.is(terminalLine(`${ESC}[32mgood`, false), '\\u001b[32mgood');
});

test('a cell never begins as a formula does, unless it is a number', (t) => {
  for (const cell of ['=1+1', '+cmd|x', '-2+3', '@SUM(1)', '\t=1', '\r=1', '=HYPERLINK("http://x","y")']) {
    t.regex(formatCell(cell), /^"?'/, cell);
  }
  for (const cell of ['-1.5', '+3', '-1e-9', '-3 %', '-', '1=2', 'a']) t.is(formatCell(cell), cell);
  t.is(formatCell(-1.5), '-1.5');
  t.is(formatCsv(['a'], [['=1'], [undefined], [-2]]), "a\n'=1\n\n-2\n");
});
