// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { totalsBetween } from '../core/probe-values.ts';
import { ScaledReadings } from './scaled-readings.ts';

/** What programs had seen after `seconds`. */
const seen = (seconds: number, send: number, rare: number) => ({
  ns: seconds * 1e9,
  missed: 0,
  counters: { send, tcp_retransmit: rare },
});

test('frequent events are scaled up from what was seen since the last reading, rare ones are as they are', (t) => {
  const readings = new ScaledReadings('net');
  const first = readings.next(seen(1, 10, 3), 0.1e9);
  t.deepEqual(first, { ns: 1e9, missed: 0, sampledNs: 0.1e9, counters: { send: 100, tcp_retransmit: 3 } });
  // 5 more in 0.2 of 1 s.
  const second = readings.next(seen(2, 15, 4), 0.3e9);
  t.deepEqual(second.counters, { send: 125, tcp_retransmit: 4 });
  t.deepEqual(totalsBetween(first, second), {
    ns: 1e9,
    missed: 0,
    sampledNs: 0.2e9,
    counters: { send: 25, tcp_retransmit: 1 },
  });
});

test('a stretch without a turn has no frequent events, and the next one makes up for it', (t) => {
  const readings = new ScaledReadings('net');
  const first = readings.next(seen(1, 10, 3), 0.1e9);
  const blind = readings.next(seen(2, 10, 5), 0.1e9);
  t.deepEqual(blind.counters, { tcp_retransmit: 5 });
  t.deepEqual(totalsBetween(first, blind).counters, { tcp_retransmit: 2 });
  const third = readings.next(seen(3, 20, 6), 0.3e9);
  t.deepEqual(third.counters, { send: 200, tcp_retransmit: 6 });
  t.like(totalsBetween(first, third), { ns: 2e9, sampledNs: 0.2e9, counters: { send: 100 } });
});
