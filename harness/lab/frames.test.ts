// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import test from 'ava';
import { FRAME_KINDS, type FrameKind } from './engine.ts';
import { decodeFrames } from './frames.ts';

/** As bpf/guest/agent/frame.c writes it. */
function frame(kind: string, payload: string | Buffer, guestNs = 3_000_000_123n): Buffer {
  const data = Buffer.from(payload);
  const head = `PMVX 2 ${kind} ${guestNs} ${data.length}`;
  const crc = crc32(data, crc32(head)).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`${head} ${crc}\n`), data, Buffer.from('\n')]);
}

const HELLO = frame('hello', '{"protocol":2}', 1_000n);
const DONE = frame('done', '{}', 5_000n);

test('every kind of frame reads back with its time and payload, whatever the payload holds', (t) => {
  const payload = Buffer.from('a\nPMVX 2 done 1 2 00000000\n{}\n\0\xff', 'latin1');
  const sent = FRAME_KINDS.map((kind, at) => frame(kind, at === 3 ? '' : payload, BigInt(at)));
  const { frames, fault } = decodeFrames(Buffer.concat(sent));
  t.is(fault, undefined);
  t.deepEqual(
    frames.map(({ kind, guestNs }) => [kind, guestNs]),
    FRAME_KINDS.map((kind, at): [FrameKind, bigint] => [kind, BigInt(at)]),
  );
  t.true(frames.every(({ payload: got }, at) => got.equals(at === 3 ? Buffer.alloc(0) : payload)));
});

test('a guest that said nothing has no frames and no fault', (t) => {
  t.deepEqual(decodeFrames(Buffer.alloc(0)), { frames: [] });
});

test('whatever the guest was cut off in, the whole frames before it are read and the place is named', (t) => {
  const all = Buffer.concat([HELLO, DONE]);
  for (let size = HELLO.length + 1; size < all.length; size++) {
    const { frames, fault = '' } = decodeFrames(all.subarray(0, size));
    t.deepEqual(
      frames.map(({ kind }) => kind),
      ['hello'],
    );
    const what = size < all.length - 3 ? 'no frame header' : 'frame "done" cut off';
    t.is(fault, `${what} at byte ${HELLO.length} of ${size}`);
  }
});

const faults: [string, Buffer, string][] = [
  ['garbage', Buffer.from('login: '), 'no frame header at byte 0 of 7'],
  ['a line that is no header', Buffer.from('login:\n'), 'no frame header at byte 0 of 7'],
  ['another version', Buffer.from('PMVX 1 done 1 0 00000000\n\n'), 'no frame header at byte 0 of 26'],
  ['an unknown kind', frame('doom', '{}'), 'unknown frame "doom" at byte 0 of 37'],
  ['a kind that objects have', frame('constructor', '{}'), 'unknown frame "constructor" at byte 0 of 44'],
  [
    'a size beyond all that is sent',
    Buffer.from('PMVX 2 output 1 34603009 00000000\n'),
    'frame "output" of 34603009 bytes at byte 0 of 34',
  ],
  ['a wrong CRC', Buffer.from('PMVX 2 done 1 2 00000000\n{}\n'), 'frame "done" damaged at byte 0 of 28'],
  [
    'a payload longer than it says',
    Buffer.from(`PMVX 2 done 1 1 ${crc32('PMVX 2 done 1 1{').toString(16).padStart(8, '0')}\n{}\n`),
    'frame "done" damaged at byte 0 of 28',
  ],
  ['a header that does not end', Buffer.alloc(1000, 'PMVX 2 '), 'no frame header at byte 0 of 1000'],
];
for (const [name, data, fault] of faults) {
  test(`${name} ends the reading with its place`, (t) => {
    t.deepEqual(decodeFrames(data), { frames: [], fault });
  });
}

test('a header that was changed is not believed, although it reads well and the payload is whole', (t) => {
  for (const [from, to] of [
    ['result', 'output'],
    [' 3000000123 ', ' 3000000124 '],
  ] as const) {
    const changed = Buffer.from(frame('result', '{"exit":0}').toString('latin1').replace(from, to), 'latin1');
    const size = changed.length;
    const kind = to === 'output' ? to : 'result';
    t.deepEqual(decodeFrames(changed), { frames: [], fault: `frame "${kind}" damaged at byte 0 of ${size}` });
  }
});

/** xorshift32 (Marsaglia 2003): the same damage every time. */
function random(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

test('100,000 damaged transcripts: nothing is thrown, and no frame is read that was not sent', (t) => {
  const next = random(20260131);
  const bytes = (size: number) => Buffer.from(Array.from({ length: size }, () => next(256)));
  const sent = ['hello', 'attached', 'output', 'result', 'klog', 'done'].map(
    (kind) => [kind, bytes(1 + next(60))] as const,
  );
  const known = new Set(sent.map(([kind, payload], at) => `${kind} ${at} ${payload.toString('hex')}`));
  const whole = Buffer.concat(sent.map(([kind, payload], at) => frame(kind, payload, BigInt(at))));
  const ends = sent.map(
    (_, at) =>
      Buffer.concat(sent.slice(0, at).map(([kind, payload], i) => frame(kind, payload, BigInt(i)))).length,
  );
  let accepted = 0;
  for (let round = 0; round < 100_000; round++) {
    const at = next(whole.length);
    const size = 1 + next(4);
    const damaged = Buffer.from(whole);
    const change = next(4);
    const mutated =
      change === 0
        ? whole.subarray(0, at)
        : change === 1
          ? Buffer.concat([whole.subarray(0, at), bytes(size), whole.subarray(at)])
          : change === 2
            ? Buffer.concat([whole.subarray(0, at), whole.subarray(at + size)])
            : damaged;
    if (change === 3) damaged[at] = (damaged[at] as number) ^ (1 << next(8));
    const { frames, fault } = decodeFrames(mutated);
    // A cut between two frames leaves whole frames only; any other damage is found.
    if (fault === undefined && !(change === 0 && ends.includes(mutated.length)))
      t.fail(`round ${round}: no fault`);
    accepted += frames.length;
    const unsent = frames.find(
      ({ kind, guestNs, payload }) => !known.has(`${kind} ${guestNs} ${payload.toString('hex')}`),
    );
    if (unsent !== undefined) t.fail(`round ${round}: accepted ${unsent.kind}`);
  }
  t.true(accepted > 200_000, 'whole frames before the damage are read');
});

test('a guest that sends frames without end is cut off, with the place and the reason', (t) => {
  const one = frame('probes', '{}');
  const { frames, fault } = decodeFrames(Buffer.concat(Array(5000).fill(one)));
  t.is(frames.length, 4096);
  t.is(fault, `the guest sent more than 4096 frames, at byte ${4096 * one.length} of ${5000 * one.length}`);
});
