// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { isSnapshotKey, type SnapshotParts, snapshotKey } from './keys.ts';

const PARTS: SnapshotParts = {
  v: 1,
  image: 'd1',
  arguments: ['-smp', '4', '-m', '1024M'],
  blocks: ['a', 'b'],
};

test('equal parts give one key, however they were written down', (t) => {
  const { v, image, arguments: words, blocks } = PARTS;
  t.is(snapshotKey({ blocks, arguments: words, image, v }), snapshotKey(PARTS));
  t.true(isSnapshotKey(snapshotKey(PARTS)));
});

test('any changed part changes the key', (t) => {
  const others: SnapshotParts[] = [
    PARTS,
    { ...PARTS, v: 2 },
    { ...PARTS, image: 'd2' },
    { ...PARTS, arguments: ['-smp', '8', '-m', '1024M'] },
    { ...PARTS, arguments: ['-smp', '4', '-m', '1024M', ''] },
    { ...PARTS, arguments: ['-m', '1024M', '-smp', '4'] },
    { ...PARTS, arguments: ['-smp 4', '-m', '1024M'] },
    { ...PARTS, blocks: ['a'] },
    { ...PARTS, blocks: ['b', 'a'] },
    { ...PARTS, blocks: ['ab'] },
    { ...PARTS, parent: 'p1' },
    { ...PARTS, parent: 'p2' },
  ];
  t.is(new Set(others.map(snapshotKey)).size, others.length);
});

test('names of other things in the store are no keys', (t) => {
  for (const name of [
    '..',
    '',
    '.lock-0123456789abcdef',
    '0123456789ABCDEF',
    '0123456789abcdef0',
    '../0123456789abc',
  ]) {
    t.false(isSnapshotKey(name), name);
  }
});
