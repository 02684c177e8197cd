// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { fullDisk } from './full-disk.ts';

test('a disk without a free block is full; one that does not count, or is not there, says nothing', (t) => {
  const journal = join(tmpdir(), 'journal.jsonl');
  const of = (blocks: number, bfree: number) => fullDisk(journal, () => ({ blocks, bfree }));
  t.regex(of(100, 0) ?? '', /no space is left beside .*journal\.jsonl/);
  t.is(of(100, 5), undefined, 'kept for root');
  t.is(of(0, 0), undefined);
  t.is(fullDisk('/nowhere/at/all'), undefined);
  t.is(fullDisk(journal), undefined);
});
