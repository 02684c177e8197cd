// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { ExitCode } from '../../core/errors.ts';
import type { Difference } from '../../run/differences.ts';
import { sampleCompleted } from '../../store/sample-records.ts';
import { brokenLab, type Mismatch } from './choose.ts';

const differing = (...differ: Difference[]): Mismatch => ({
  a: sampleCompleted({ run: 'one', trial: '0003' }),
  b: sampleCompleted({ run: 'two', trial: '0004' }),
  places: ['one/trials.jsonl:3', 'two/trials.jsonl:5'],
  differ,
});
/** Told as `x was "yyy", is 1`. */
const wide = (letters: number): Difference => ({ path: 'x', was: 'y'.repeat(letters), is: 1 });

test('a trial with two results is told with both places, runs, trials and what differs', (t) => {
  const { code, faults } = brokenLab([differing({ path: 'exitStatus', was: 0, is: 3 })]);
  t.is(code, ExitCode.image);
  t.is(faults.length, 2);
  t.is(faults[0]?.where, 'one/trials.jsonl:3 and two/trials.jsonl:5');
  t.regex(
    faults[0]?.what ?? '',
    /^block \d+, .* has two results, one\/0003.* and two\/0004.*: exitStatus was 0, is 3$/,
  );
  t.notRegex(faults[0]?.what ?? '', /\(a\/a\)/);
  const control = sampleCompleted({ role: 'aa' });
  const [{ what: twice } = { what: '' }] = brokenLab([{ ...differing(), a: control, b: control }]).faults;
  t.regex(twice, /^block \d+, .* under \S+ \(a\/a\) has two results/);
  t.regex(faults[1]?.what ?? '', /a trial has one result on every host: the lab is broken/);
});

test('a difference is told whole up to 160 characters, and cut after them', (t) => {
  const told = (letters: number) =>
    brokenLab([differing(wide(letters))])
      .faults[0]?.what.split(': ')
      .at(-1) ?? '';
  const around = told(0).length;
  t.is(told(160 - around), `x was "${'y'.repeat(160 - around)}", is 1`);
  t.is(told(161 - around), `x was "${'y'.repeat(161 - around)}", is `.slice(0, 160).concat('...'));
  t.is(told(5000).length, 163);
});

test('of many the first three are told, and all are counted', (t) => {
  const many = (count: number) => Array.from({ length: count }, () => wide(1));
  const lines = (trials: number) =>
    brokenLab(Array.from({ length: trials }, () => differing(...many(5)))).faults;
  t.is(lines(3).length, 4);
  t.notRegex(lines(3).at(-1)?.what ?? '', /in all/);
  t.is(lines(4).length, 4);
  t.regex(lines(4).at(-1)?.what ?? '', /\(4 trials in all\)/);
  t.is(lines(1)[0]?.what.split('; ').length, 3, 'so of differences');
});
