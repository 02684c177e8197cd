// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { lastPart } from './fork-proof.ts';

test('a fork is compared with what its boot did after the last fork mark', (t) => {
  const [before, after] = [
    { hash: 'a', blocks: 1 },
    { hash: 'b', blocks: 2 },
  ];
  t.is(lastPart('m', JSON.stringify({ parts: [before, after] })), JSON.stringify(after));
});

test('a hash that is missing or cut off equals that of no other machine', (t) => {
  for (const hash of ['', '{"parts":[', '{"parts":[]}', '{}']) t.is(lastPart('fork', hash), 'fork: no hash');
});
