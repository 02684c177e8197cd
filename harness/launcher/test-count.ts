// SPDX-License-Identifier: Apache-2.0

/** How many tests ended how. */
export interface TestCount {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const NONE: TestCount = { passed: 0, failed: 0, skipped: 0 };

/** Counts of a run, in all and by file, in the order in which the files were first heard of. */
export class TestTally {
  readonly files = new Map<string, TestCount>();

  add(file: string, state: keyof TestCount, count = 1): void {
    const before = this.files.get(file) ?? NONE;
    this.files.set(file, { ...before, [state]: before[state] + count });
  }

  get total(): TestCount {
    return [...this.files.values()].reduce(
      (sum, { passed, failed, skipped }) => ({
        passed: sum.passed + passed,
        failed: sum.failed + failed,
        skipped: sum.skipped + skipped,
      }),
      NONE,
    );
  }
}

/** `harness › cli › help names every command` is of `harness/cli`; with a single file, AVA names none. */
export function fileOfTitle(title: string): string {
  return title.split(' › ').slice(0, -1).join('/');
}

/** The last line of `pmvx test`, which programs read. */
export function closingLine({ passed, failed, skipped }: TestCount): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

/** One line a file: how many tests, and which part of them did not pass. */
export function fileLine(file: string, { passed, failed, skipped }: TestCount): string {
  const all = passed + failed + skipped;
  const count = failed > 0 ? `${failed} of ${all} failed` : `${all}`;
  return `${file} (${count}${skipped > 0 ? `, ${skipped} skipped` : ''})`;
}
