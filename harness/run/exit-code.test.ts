// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { TrialState } from '../core/trial.ts';
import { exitCodeOf, FAIL_ON_STATES, failOnLine, troubleLine } from './exit-code.ts';

const of = (...states: TrialState[]) => states.map((state) => ({ state }));

test('refused and ejected policies are findings: the run is fine as long as something was measured', (t) => {
  t.is(exitCodeOf('complete', of('completed', 'refused', 'ejected')), 0);
  t.is(troubleLine('complete', of('completed', 'refused', 'ejected')), undefined);
});

test('a failed, timed-out or crashed trial makes the run incomplete and is counted', (t) => {
  for (const state of ['failed', 'timed-out', 'crashed'] as const) {
    t.is(exitCodeOf('complete', of('completed', state)), 5);
  }
  t.is(
    troubleLine('complete', of('completed', 'failed', 'failed', 'crashed', 'refused')),
    '2 failed, 1 crashed of 5 trials; trials.jsonl keeps the reason and output of each',
  );
});

test('a run without one measurement is incomplete', (t) => {
  t.is(exitCodeOf('complete', of('refused', 'refused')), 5);
  t.is(
    troubleLine('complete', of('refused', 'refused')),
    'no trial completed (2 refused): there is nothing to compare',
  );
});

test('a stopped run says that it was stopped', (t) => {
  t.is(exitCodeOf('interrupted', of('completed', 'failed')), 130);
  t.is(exitCodeOf('too-many-failures', of('completed', 'refused')), 5);
});

test('what --fail-on names makes a run fail, and is counted', (t) => {
  const records = of('completed', 'refused', 'refused', 'ejected');
  t.is(exitCodeOf('complete', records), 0);
  t.is(exitCodeOf('complete', records, ['refused']), 5);
  t.is(exitCodeOf('complete', records, ['crashed']), 0);
  t.is(exitCodeOf('interrupted', records, ['refused']), 130);
  t.is(
    failOnLine(records, ['ejected', 'refused']),
    '1 ejected, 2 refused of 4 trials: --fail-on makes that exit code 5',
  );
  t.is(failOnLine(records, ['crashed']), undefined);
  t.deepEqual(FAIL_ON_STATES, ['failed', 'ejected', 'refused', 'timed-out', 'crashed']);
});
