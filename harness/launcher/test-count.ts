// SPDX-License-Identifier: Apache-2.0
import type { TapTest } from './read-tap.ts';

/** How many tests ended how. */
export interface TestCount {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts of a run, in all and by file, in the order in which the files were first heard of. */
export class TestTally {
  readonly files = new Map<string, TestCount>();

  add(test: Pick<TapTest, 'title' | 'state'>): void {
    const file = fileOf(test.title);
    const count = this.files.get(file) ?? { passed: 0, failed: 0, skipped: 0 };
    const state = test.state === 'todo' ? 'skipped' : test.state;
    this.files.set(file, { ...count, [state]: count[state] + 1 });
  }

  get total(): TestCount {
    const sum = { passed: 0, failed: 0, skipped: 0 };
    for (const count of this.files.values()) {
      sum.passed += count.passed;
      sum.failed += count.failed;
      sum.skipped += count.skipped;
    }
    return sum;
  }
}

/** `harness › cli › help names every command` is of `harness/cli`; with a single file, AVA names none. */
function fileOf(title: string): string {
  const parts = title.split(' › ');
  return parts.length === 1 ? '' : parts.slice(0, -1).join('/');
}

/** The last line of `pmvx test`, which programs read. */
export function closingLine({ passed, failed, skipped }: TestCount): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

/** One line a file: how many tests, and which part of them did not pass. */
export function fileLine(file: string, count: TestCount): string {
  const { passed, failed, skipped } = count;
  const all = passed + failed + skipped;
  const parts = [
    failed > 0 ? `${failed} of ${all} failed` : `${all}`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return `${file} (${parts.join(', ')})`;
}
