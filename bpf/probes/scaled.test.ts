// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const folder = mkdtempSync(join(tmpdir(), 'scaled-'));
const MAIN = `
#include <linux/types.h>
#include <stdio.h>
#include "scaled.h"
int main(void) {
	struct pmvx_scaled last = { 0 };
	unsigned long long counter, enabled, running;
	while (scanf("%llu %llu %llu", &counter, &enabled, &running) == 3) {
		int counts = pmvx_scale(&last, counter, enabled, running);
		if (counts) printf("%llu ", (unsigned long long)last.sum);
		else printf("absent ");
	}
	return 0;
}`;
writeFileSync(join(folder, 'main.c'), MAIN);
const program = join(folder, 'scaled');
execFileSync('gcc', ['-Wall', '-I', import.meta.dirname, '-o', program, join(folder, 'main.c')]);

/** Scaled sums after readings of counter, ns wanted, ns counted. */
function sums(readings: readonly (readonly [number, number, number])[]): (number | 'absent')[] {
  const input = readings.map((each) => each.join(' ')).join('\n');
  const words = execFileSync(program, { input, encoding: 'utf8' }).trim().split(' ');
  return words.map((word) => (word === 'absent' ? word : Number(word)));
}

test('a counter that has a place of its own is what it counted', (t) => {
  t.deepEqual(
    sums([
      [100, 10, 10],
      [250, 20, 20],
    ]),
    [100, 250],
  );
});

test('one that shares its place is scaled by its part of each interval, and never falls', (t) => {
  // A tenth of the first second, all of the second: scaled over all time it would fall from 1,000,000 to 381,818.
  t.deepEqual(
    sums([
      [100_000, 1_000_000_000, 100_000_000],
      [210_000, 2_000_000_000, 1_100_000_000],
    ]),
    [1_000_000, 1_110_000],
  );
});

test('one that did not count in an interval is absent, and the next reading catches up', (t) => {
  t.deepEqual(
    sums([
      [100, 10, 10],
      [100, 20, 10],
      [200, 30, 20],
    ]),
    [100, 'absent', 300],
  );
});
