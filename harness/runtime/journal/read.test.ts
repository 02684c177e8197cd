// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { parseLine } from './read.ts';

test('a line of another program is no line of a journal, however much it looks like one', (t) => {
  const like = { v: 1, seq: 1, life: 'x' };
  for (const more of [
    { kind: 'decision' },
    { kind: 'decision', window: null, selection: 3, action: [] },
    { kind: 'decision', at: '', window: {}, selection: {}, action: {} },
    { kind: 'event' },
    { kind: 'intent', at: 5 },
  ]) {
    t.is(parseLine(JSON.stringify({ ...like, ...more })), undefined, JSON.stringify(more));
  }
  t.is(parseLine('null'), undefined);
  t.is(parseLine('{'), undefined);
  const event = { ...like, kind: 'event', at: '2026-01-01T00:00:00.000Z', event: 'started', what: 'x' };
  t.deepEqual(parseLine(JSON.stringify(event)), event as never);
});
