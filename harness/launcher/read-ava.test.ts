// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { AvaReport, isSlow } from './read-ava.ts';
import { closingLine, fileLine, fileOfTitle, TestTally } from './test-count.ts';

test('every form of a line in which AVA tells of a test is known', (t) => {
  const report = new AvaReport();
  const read = (line: string) => report.read(line);
  t.deepEqual(read('  ✔ a › passes (1.2s)'), { kind: 'passed', title: 'a › passes (1.2s)' });
  t.deepEqual(read('  \x1b[32m√\x1b[39m a › in colour'), { kind: 'passed', title: 'a › in colour' });
  t.deepEqual(read('  ✔ [expected fail] a › known'), { kind: 'passed', title: 'a › known' });
  t.deepEqual(read('  ✘ [fail]: b › fails for a reason'), {
    kind: 'failed',
    title: 'b › fails for a reason',
  });
  t.deepEqual(read('  ✘ [unexpected pass]: b › known'), { kind: 'failed', title: 'b › known' });
  t.deepEqual(read('  - [skip] b › later'), { kind: 'skipped', title: 'b › later' });
  t.deepEqual(read('  - [todo] b › some day'), { kind: 'skipped', title: 'b › some day' });
  t.deepEqual(read('  Uncaught exception in tests/c.ts'), { kind: 'lost', count: 1, file: 'tests/c.ts' });
  t.deepEqual(read('  ✘ tests/c.ts exited with a non-zero exit code: 1'), {
    kind: 'ended',
    file: 'tests/c.ts',
  });
  t.deepEqual(read('  ✘ 2 tests remaining in tests/d.ts'), { kind: 'lost', count: 2, file: 'tests/d.ts' });
  t.deepEqual(read('  3 tests were pending in tests/e.ts'), { kind: 'lost', count: 3, file: 'tests/e.ts' });
  t.deepEqual(read('  ✘ No tests found in tests/f.ts, make sure to import'), {
    kind: 'lost',
    count: 1,
    file: 'tests/f.ts',
  });
  t.deepEqual(read('    ℹ logged'), { kind: 'words' });
});

test('what failures quote below the rule is not counted', (t) => {
  const report = new AvaReport();
  t.deepEqual(report.read('  ─'), { kind: 'summary' });
  t.deepEqual(report.read('  ✔ a › passes'), { kind: 'words' });
  t.deepEqual(report.read('  2 tests failed'), { kind: 'summary' });
  t.deepEqual(report.read('  1 uncaught exception'), { kind: 'summary' });
});

test('ten seconds and more are slow', (t) => {
  t.deepEqual(
    ['a (9.9s)', 'a (10s)', 'a (12.5s)', 'a (1m 2.3s)', 'a (250ms)', 'a (10s) later'].filter(isSlow),
    ['a (10s)', 'a (12.5s)', 'a (1m 2.3s)'],
  );
});

test('tests are counted in all and by file', (t) => {
  const tally = new TestTally();
  tally.add(fileOfTitle('harness › cli › help'), 'passed');
  tally.add(fileOfTitle('harness › cli › version'), 'failed');
  tally.add(fileOfTitle('harness › cli › later'), 'skipped');
  tally.add('harness/plan', 'passed', 2);
  t.deepEqual(tally.total, { passed: 3, failed: 1, skipped: 1 });
  t.deepEqual(
    [...tally.files].map(([file, count]) => fileLine(file, count)),
    ['harness/cli (1 of 3 failed, 1 skipped)', 'harness/plan (2)'],
  );
});

test('the closing line names skipped tests only when there are some', (t) => {
  t.is(closingLine({ passed: 3, failed: 0, skipped: 0 }), '3 passed, 0 failed');
  t.is(closingLine({ passed: 3, failed: 1, skipped: 2 }), '3 passed, 1 failed, 2 skipped');
});
