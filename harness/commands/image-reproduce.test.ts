// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { differencesOf } from './image-reproduce.ts';

const facts = (letter: string, size = 1) => ({ size, sha256: letter.repeat(64) });

test('files that differ, and files that only one build has, are told by name', (t) => {
  const first = { kept: facts('a'), changed: facts('b'), gone: facts('c') };
  const second = { new: facts('d'), changed: facts('e', 2), kept: facts('a') };
  t.deepEqual(differencesOf(first, first), []);
  t.deepEqual(
    differencesOf(first, second).map(({ file, first: a, second: b }) => [file, a?.size, b?.size]),
    [
      ['changed', 1, 2],
      ['gone', 1, undefined],
      ['new', undefined, 1],
    ],
  );
});
