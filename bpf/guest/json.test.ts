// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const folder = mkdtempSync(join(tmpdir(), 'json-'));
const MAIN = `
#include <stdio.h>
#include <stdlib.h>
const char *json_escape(const char *text, char *buffer, size_t size);
int main(int argc, char **argv) {
	size_t size = (size_t)atoi(argv[2]);
	char *buffer = malloc(size), text[4096] = { 0 };
	text[fread(text, 1, sizeof(text) - 1, stdin)] = 0;
	printf("\\"%s\\"", json_escape(text, buffer, size));
	free(buffer);
	return argc - 3;
}`;
writeFileSync(join(folder, 'main.c'), MAIN);
const program = join(folder, 'escape');
const agent = join(import.meta.dirname, 'agent/json.c');
execFileSync('gcc', [
  '-Wall',
  '-Wextra',
  '-fsanitize=address,undefined',
  '-o',
  program,
  join(folder, 'main.c'),
  agent,
]);

const escaped = (text: string | Uint8Array, size = 4096) =>
  JSON.parse(execFileSync(program, ['', String(size)], { input: text, encoding: 'utf8' })) as string;

test('what a guest says reads back as it was, whatever its language', (t) => {
  for (const text of [
    'plain',
    'Grüße',
    '漢字',
    '😀',
    '"\\',
    'a\tb\nc',
    '\u007f\u0080\u07ff\u0800\uffff',
    '\u{10ffff}',
  ]) {
    t.is(escaped(text), text);
  }
});

test('bytes that are no UTF-8 are replaced, each by one character, and the rest stays', (t) => {
  const cases: [number[], string][] = [
    [[0x61, 0xff, 0x62], 'a\ufffdb'],
    [[0xc3], '\ufffd'],
    [[0xc0, 0xaf], '\ufffd\ufffd'],
    [[0xe0, 0x80, 0x80], '\ufffd\ufffd\ufffd'],
    [[0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'],
    [[0xf4, 0x90, 0x80, 0x80], '\ufffd\ufffd\ufffd\ufffd'],
    [[0xc3, 0x22], '\ufffd"'],
  ];
  for (const [bytes, text] of cases) t.is(escaped(Uint8Array.from(bytes)), text, bytes.join(' '));
});

test('where the buffer ends, text is cut between characters', (t) => {
  for (let size = 9; size < 40; size++) t.regex(escaped('ü漢😀'.repeat(8), size), /^(?:ü|漢|😀)+$/u);
});
