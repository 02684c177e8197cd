// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { sampleCompleted, sampleUnmeasured } from '../store/sample-records.ts';
import { parseTrialRecord } from './trial-record.ts';

const KNOB = { path: '/sys/kernel/mm/lru_gen/enabled', before: '0x0007', value: '0x0000' };

function faultOf(value: unknown): string {
  const read = parseTrialRecord(value);
  return 'fault' in read ? read.fault : 'no fault';
}

test('every member of a record is checked, those within its evidence and its host too', (t) => {
  const record = sampleCompleted({ schedAfter: { knobs: [{ ...KNOB, restored: '0x0007' }] } });
  t.deepEqual(parseTrialRecord(record), { record });
  t.is(
    faultOf({ ...record, schedBefore: { knobs: [{ ...KNOB, value: 0 }] } }),
    'not a trial record: schedBefore.knobs.0.value: Invalid input: expected string, received number',
  );
  t.is(
    faultOf({ ...record, host: { ...record.host, fingerprint: 7 } }),
    'not a trial record: host.fingerprint: Invalid input: expected string, received number',
  );
  t.is(
    faultOf({ ...sampleUnmeasured(), metrics: [] }),
    'not a trial record: metrics: only a completed trial has metrics',
  );
});

test('what a later version adds is kept, at any depth', (t) => {
  const { host, ...rest } = sampleCompleted();
  const later = { ...rest, host: { ...host, rack: 'r7' }, altitude: 512 };
  t.deepEqual(parseTrialRecord(later) as unknown, { record: later });
});

test('a record from before there were points is of a policy that was there before the run', (t) => {
  const { point: _, ...older } = sampleCompleted();
  t.deepEqual(parseTrialRecord(older), { record: { ...older, point: 'quiescent' } });
});
