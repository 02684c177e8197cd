// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { availableOf, resultsPlace } from './results-place.ts';

test('a place is made and tried, and nothing is left in it; where nothing can be written, that is said', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-place-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const place = join(folder, 'a/b');
  await resultsPlace.probe(place);
  await resultsPlace.probe(place);
  t.deepEqual(readdirSync(place), []);
  writeFileSync(join(folder, 'file'), '');
  await t.throwsAsync(resultsPlace.probe(join(folder, 'file')), { code: 'EEXIST' });
  await t.throwsAsync(resultsPlace.probe('/proc/self/fd'));
});

test('free bytes are blocks by their size', async (t) => {
  const free = await resultsPlace.freeBytes('/proc');
  t.is(free, 0);
  const { bavail, bsize, blocks } = await statfs(tmpdir());
  const there = await resultsPlace.freeBytes(tmpdir());
  // Others write there, too.
  t.true(there <= blocks * bsize && there > (bavail * bsize) / 2);
});

test('memory is told in MiB, and is no limit where it is not told', async (t) => {
  t.is(availableOf('MemTotal:  9 kB\nMemAvailable:       3072 kB\nBuffers: 7 kB\n'), 3);
  t.is(availableOf('MemTotal:  9 kB\n'), Number.POSITIVE_INFINITY);
  const now = await resultsPlace.availableMiB();
  t.true(now > 0 && Number.isFinite(now));
});
