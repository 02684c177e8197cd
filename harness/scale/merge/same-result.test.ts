// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { TrialRecord } from '../../core/trial.ts';
import { sampleCompleted, sampleUnmeasured } from '../../store/sample-records.ts';
import { compareRecords, preferred } from './same-result.ts';

const at = (startedAt: string) => ({ startedAt, seconds: 1.25, attempt: 1 });
const [EARLY, LATE] = [at('2026-01-02T03:04:05.000Z'), at('2026-01-02T03:04:06.000Z')];
const lost = (reason: string, state: 'crashed' | 'timed-out' = 'crashed'): TrialRecord =>
  sampleUnmeasured({ trial: '0000', policy: 'eevdf', state, reason, host: EARLY });

test('two records of a trial are one record, one result, two results, or nothing follows', (t) => {
  const one = sampleCompleted();
  t.is(compareRecords(one, { ...one, run: 'other', trial: '0009' }), 'identical');
  t.is(compareRecords(one, { ...one, host: LATE }), 'equal');
  t.deepEqual(compareRecords(one, { ...one, exitStatus: 3 }), {
    differ: [{ path: 'exitStatus', was: 0, is: 3 }],
  });
  for (const cut of [
    lost('the VM died: killed by SIGKILL'),
    lost('the guest was stopped after 60 s', 'timed-out'),
  ]) {
    t.is(compareRecords(one, cut), 'undecided');
    t.is(compareRecords(cut, one), 'undecided');
  }
  for (const own of [lost('Kernel panic'), lost('it ran for 60 s of the guest', 'timed-out')])
    t.is(typeof compareRecords(one, own), 'object', 'a guest’s own end is a result');
});

test('what a host cut short gives way; of others the one that began first stands, in either order', (t) => {
  const [early, late] = [sampleCompleted({ host: EARLY }), sampleCompleted({ host: LATE })];
  const cut = lost('the VM died: killed by SIGKILL');
  for (const [a, b, stands] of [
    [early, late, early],
    [late, cut, late],
    [cut, { ...cut, host: LATE }, cut],
  ] as const) {
    t.is(preferred(a, b), stands);
    t.is(preferred(b, a), stands);
  }
});
