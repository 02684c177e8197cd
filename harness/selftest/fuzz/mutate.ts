// SPDX-License-Identifier: Apache-2.0
import type { Draw } from '../draw.ts';

/** Numbers and texts that readers have met with surprise. */
const SPECIAL = [
  ...[
    '0',
    '-0',
    '-1',
    '1e999',
    '9007199254740993',
    '2147483648',
    '4294967295',
    '1e-400',
    'NaN',
    'Infinity',
    '0x10',
  ],
  ...[
    'null',
    'true',
    '""',
    '{}',
    '[]',
    '~',
    '!!js/function',
    '&a',
    '*a',
    '<<',
    '---',
    '...',
    '%YAML 2.0',
    '? ',
    '- ',
    ': ',
    '#',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '../',
    '../../etc/passwd',
    '/etc/passwd',
    '.',
    '..',
    'a/b',
  ],
  ...[
    '$(id)',
    '`id`',
    ';id',
    '|id',
    "'",
    '"',
    '\\',
    '\n',
    '\r\n',
    '\t',
    '\0',
    '\u001b[31m',
    '\u2028',
    '\ufeff',
    '\ud800',
    'é',
    '𝟘',
  ],
  '%s%n',
  '$'.concat('{seed}'),
  '$'.concat('{nothing}'),
  '{{',
  '}}',
  ',"crc32":"00000000"}',
];

/** One to several changes of an input, also with parts of another one. */
export function mutate(
  input: Buffer,
  other: Buffer,
  words: readonly string[],
  draw: Draw,
  most: number,
): Buffer {
  let bytes = input;
  const changes = draw.oneOf([1, 1, 1, 2, 3, 5, 9]);
  for (let change = 0; change < changes; change++) bytes = changed(bytes, other, words, draw, most);
  return bytes.length > most ? bytes.subarray(0, most) : bytes;
}

function changed(bytes: Buffer, other: Buffer, words: readonly string[], draw: Draw, most: number): Buffer {
  const size = bytes.length;
  const at = draw.between(0, size);
  const length = Math.min(size - at, draw.between(1, draw.oneOf([1, 4, 16, 64, 512])));
  const splice = (insert: Buffer | string, remove = 0) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(insert), bytes.subarray(at + remove)]);
  switch (draw.between(0, 11)) {
    case 0: {
      if (size === 0) return Buffer.from(draw.oneOf(SPECIAL));
      const copy = Buffer.from(bytes);
      const place = draw.between(0, size - 1);
      copy[place] = (copy[place] as number) ^ (1 << draw.between(0, 7));
      return copy;
    }
    case 1: {
      if (size === 0) return bytes;
      const copy = Buffer.from(bytes);
      copy[draw.between(0, size - 1)] = draw.between(0, 255);
      return copy;
    }
    case 2:
      return splice('', length);
    case 3:
      return splice(bytes.subarray(at, at + length));
    case 4:
      return splice(draw.oneOf(SPECIAL), draw.chance(50) ? length : 0);
    case 5:
      return words.length === 0 ? bytes : splice(draw.oneOf(words), draw.chance(50) ? length : 0);
    case 6: {
      // A part of another input.
      const from = draw.between(0, other.length);
      return splice(other.subarray(from, from + draw.between(1, 256)), draw.chance(50) ? length : 0);
    }
    case 7:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(draw.between(0, other.length))]);
    case 8: {
      // The same again and again: what takes quadratic time shows.
      const part = bytes.subarray(at, at + Math.min(length, 24));
      const times = draw.oneOf([2, 8, 64, draw.chance(5) ? 4096 : 16]);
      return splice(
        Buffer.concat(Array(Math.min(times, Math.ceil(most / Math.max(1, part.length)))).fill(part)),
      );
    }
    case 9:
      return replacedNumber(bytes, draw);
    case 10:
      return swappedLines(bytes, draw);
    default:
      return bytes.subarray(0, at);
  }
}

/** Another number in place of one of those in a text. */
function replacedNumber(bytes: Buffer, draw: Draw): Buffer {
  const text = bytes.toString('latin1');
  const numbers = [...text.slice(0, 20_000).matchAll(/-?\d+(?:\.\d+)?/g)];
  if (numbers.length === 0) return bytes;
  const found = draw.oneOf(numbers);
  const value = Number(found[0]);
  const others = [
    String(value + 1),
    String(value - 1),
    String(-value),
    String(value * 1000),
    String(value / 3),
  ];
  const other = draw.oneOf([...others, ...SPECIAL.slice(0, 11)]);
  return Buffer.from(
    text.slice(0, found.index) + other + text.slice(found.index + found[0].length),
    'latin1',
  );
}

/** Two lines change places, or one is there twice, or is gone. */
function swappedLines(bytes: Buffer, draw: Draw): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  const [a, b] = [draw.between(0, lines.length - 1), draw.between(0, lines.length - 1)];
  const [one = '', two = ''] = [lines[a], lines[b]];
  const how = draw.between(0, 2);
  if (how === 0) [lines[a], lines[b]] = [two, one];
  else if (how === 1) lines.splice(b, 0, one);
  else lines.splice(a, 1);
  return Buffer.from(lines.join('\n'), 'latin1');
}
