// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { MARGIN } from '../../analysis/stats/verdict.ts';
import { outcomeTable } from '../../analysis/tables/outcome-table.ts';
import { type SampleWorkload, sampleRun } from '../../analysis/tables/sample-run.ts';
import { tableRows } from '../../analysis/tables/table-rows.ts';
import { changeWords } from './change-words.ts';
import { findingsOf } from './findings.ts';

const REFUSED = { state: 'refused', reason: 'verifier' } as const;
const GIVEN = { baseline: 'eevdf', margin: MARGIN };

function findings(...workloads: SampleWorkload[]) {
  return findingsOf(tableRows(outcomeTable(sampleRun(workloads))), GIVEN);
}

test('a change is said in the words that fit its size, with its interval', (t) => {
  t.is(changeWords(0.709, 0.679, 0.74), '29 % lower (26 to 32 %)');
  t.is(changeWords(1.159, 1.051, 1.278), '16 % higher (5.1 to 28 %)');
  t.is(changeWords(8.273, 7.789, 8.788), '8.3 times as high (7.8 to 8.8)');
  t.is(changeWords(0.0548, 0.0513, 0.0585), '18 times lower (17 to 19)');
  t.is(changeWords(1.017, 0.992, 1.042), '1.7 % higher (ratio 0.992 to 1.04)');
  t.is(changeWords(1.198, 1.197, 1.2), '20 % higher (19.7 to 20.0 %)');
  t.is(changeWords(0.5), '2.0 times lower');
});

test('each policy is said where it is better, worse and undecided, with n and its failures', (t) => {
  const { lead, policies, notShown } = findings({
    workload: 'hackbench',
    ends: {
      eevdf: [1, 1, 1.001, 1, 1],
      aa: [1, 1.001, 1, 0.999, 1.001],
      fast: [0.5, 0.501, 0.5, 0.499, 0.5],
      slow: [2, 2.01, 2, 2, 1.99],
      wild: [0.5, 2, 1, 1, 1],
      part: [0.5, REFUSED, REFUSED, REFUSED, REFUSED],
      gone: [REFUSED, REFUSED, undefined, undefined, undefined],
    },
  });
  t.is(
    lead[0],
    '5 policies against eevdf on 1 workload, 5 comparisons: better in 1, worse in 1, equivalent in 0, undecided in 1, failing in 2.',
  );
  const [fast, slow, wild, part, gone] = policies;
  t.deepEqual(fast?.better, ['hackbench: time 2.0 times lower (1.997 to 2.004), n = 5']);
  t.is(slow?.worse.length, 1);
  t.is(wild?.undecided.length, 1);
  t.deepEqual(part?.fails, ['hackbench: ratio 0.500 of 1 pair of blocks, 4 refused']);
  t.is(part?.trials, '4 of 5 recorded trials did not complete (4 refused)');
  t.is(
    gone?.trials,
    '2 of 2 recorded trials did not complete (2 refused); 3 of 5 planned are not recorded yet',
  );
  t.is(gone?.failureRate, 1);
  t.is(notShown.length, 3);
  t.true(notShown[0]?.startsWith('wild on hackbench is undecided (ratio 1.000, '), notShown[0]);
});

test('a null control that is off is said, and so is one that is absent', (t) => {
  const off = findings({
    workload: 'hackbench',
    ends: { eevdf: [1, 1, 1, 1, 1], aa: [1.1, 1.101, 1.1, 1.099, 1.1], fast: [0.5, 0.501, 0.5, 0.5, 0.499] },
  });
  t.true(
    off.control.join(' ').includes('it differs from itself on hackbench: nothing is decided there'),
    off.control.join(' '),
  );
  const absent = findings({ workload: 'hackbench', ends: { eevdf: [1, 1], fast: [0.5, 0.5] } });
  t.true(absent.control[0]?.startsWith('This run has no null control'));
});

test('a run of the baseline alone compares nothing', (t) => {
  t.deepEqual(findings({ workload: 'hackbench', ends: { eevdf: [1, 2] } }).lead, [
    'There is no policy besides eevdf in this run, so nothing is compared.',
  ]);
});
