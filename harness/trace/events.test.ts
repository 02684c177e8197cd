// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { decodeEvents } from './events.ts';

interface Raw {
  readonly time?: bigint;
  readonly a?: number;
  readonly b?: number;
  readonly value?: number;
  readonly kind: number;
  readonly name?: string;
}

function event({ time = 0n, a = 0, b = 0, value = 0, kind, name }: Raw): Buffer {
  const data = Buffer.alloc(24);
  data.writeBigUInt64LE(time, 0);
  data.writeUInt32LE(a, 8);
  data.writeUInt32LE(b, 12);
  if (name !== undefined) data.fill(0, 0, 16).write(name);
  data.writeUInt32LE(value, 16);
  data[20] = kind;
  return data;
}

function recording(counts: string, ...events: readonly Buffer[]): Buffer {
  const head = `PMVX-EVENTS 1 kernel 7.3 cpus 2 root 5 start 1000 end 9000 lost 0 counts ${counts}\n`;
  return Buffer.concat([Buffer.from(head), ...events]);
}

test('events of all CPUs are put in the order of their time, from the start on', (t) => {
  const data = recording(
    '2,1',
    event({ time: 1500n, a: 0, b: 5, kind: 1 }),
    event({ time: 3000n, a: 5, b: 0, value: 1, kind: 1 }),
    event({ time: 2000n, a: 5, b: 6, kind: 3 }),
  );
  const { events, durationNs, root } = decodeEvents(data);
  t.deepEqual(
    events.map(({ kind, atNs }) => [kind, atNs]),
    [
      ['switch', 500],
      ['start', 1000],
      ['switch', 2000],
    ],
  );
  t.is(durationNs, 8000);
  t.is(root, 5);
});

test('a task and its name are one event', (t) => {
  const task = event({ time: 2000n, a: 5, b: 3, value: (1 << 8) | 40, kind: 4 });
  const { events } = decodeEvents(recording('2,0', task, event({ kind: 5, name: 'worker/1', value: 5 })));
  t.deepEqual(events, [
    { kind: 'task', atNs: 1000, task: 5, name: 'worker/1', cpus: 3, class: 'fifo', level: 40 },
  ]);
});

test('what happened before the start is left out, but not what a task is called', (t) => {
  const held = event({ time: 400n, a: 5, value: 1, kind: 1 });
  const task = event({ time: 400n, a: 5, kind: 4 });
  const begun = event({ time: 1000n, b: 5, kind: 1 });
  const { events } = decodeEvents(
    recording('4,0', task, event({ kind: 5, name: 'held', value: 5 }), held, begun),
  );
  t.deepEqual(
    events.map(({ kind, atNs }) => [kind, atNs]),
    [
      ['task', -600],
      ['switch', 0],
    ],
  );
});

for (const [name, data, message] of [
  ['no header', Buffer.from('hello\n'), /^no recording/],
  [
    'another version',
    Buffer.from(recording('0,0').toString().replace('EVENTS 1', 'EVENTS 9')),
    /^a recording of version 9/,
  ],
  [
    'fewer events than it says',
    recording('2,0', event({ kind: 1 })),
    /^a recording of \d+ bytes, wanted \d+$/,
  ],
  ['a kind of event that is unknown', recording('1,0', event({ kind: 9 })), /kind 9 is unknown$/],
  [
    'a way to leave that is unknown',
    recording('1,0', event({ kind: 1, value: 7 })),
    /way to leave 7 is unknown$/,
  ],
  ['a task without a name', recording('1,0', event({ kind: 4 })), /a task without a name$/],
  [
    'a class that is unknown',
    recording('2,0', event({ kind: 4, value: 7 << 8 }), event({ kind: 5, name: 'x' })),
    /class 7 is unknown$/,
  ],
] as const) {
  test(`${name} is refused`, (t) => {
    t.regex(t.throws(() => decodeEvents(data), { instanceOf: RangeError }).message, message);
  });
}
