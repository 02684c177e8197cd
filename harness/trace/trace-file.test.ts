// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import test from 'ava';
import { SAMPLE_TRACE as TRACE } from './sample-trace.ts';
import type { Trace } from './trace.ts';
import { decodeTrace, encodeTrace } from './trace-file.ts';

const BYTES = encodeTrace(TRACE);
const BODY = BYTES.subarray(BYTES.indexOf(10) + 1).toString('utf8');

/** A whole file with another body, or another version. */
function file(body: string, version = 1): Buffer {
  const data = Buffer.from(body);
  const crc = crc32(data).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`pmvx-trace ${version} ${data.length} ${crc}\n`), data]);
}

function fault(t: { throws: (f: () => unknown, want: object) => Error | undefined }, data: Buffer): string {
  return t.throws(() => decodeTrace(data), { instanceOf: RangeError })?.message ?? '';
}

test('a trace reads back as it was written', (t) => {
  const read = decodeTrace(BYTES);
  t.deepEqual(read, { ...TRACE, tasks: [TRACE.tasks[0], { ...TRACE.tasks[1], name: '-' }] } as Trace);
  t.deepEqual(encodeTrace(read), BYTES);
});

test('a file that is cut off anywhere is refused', (t) => {
  for (let length = 0; length < BYTES.length; length++) fault(t, BYTES.subarray(0, length));
});

test('a file with any one bit turned is refused', (t) => {
  for (let bit = 0; bit < 8 * BYTES.length; bit++) {
    const data = Buffer.from(BYTES);
    data[bit >> 3] = (data[bit >> 3] as number) ^ (1 << (bit & 7));
    fault(t, data);
  }
});

for (const [name, data, message] of [
  ['another version', file(BODY, 2), /^a trace of version 2; this program reads version 1$/],
  ['no trace', Buffer.from('#!/bin/sh\n'), /^no trace: /],
  ['more than it says', Buffer.concat([BYTES, Buffer.from('x')]), /^longer than it says: /],
  ['a task that is not there', file(BODY.replace('w1', 'w2')), /^line 3: "w2" is about task 2 of 2$/],
  ['an operation that is none', file(BODY.replace('r300', 'q300')), /^line 3: "q300" is no operation$/],
  ['a number below 0', file(BODY.replace('r300', 'r-300')), /^line 3: "r-300" is no operation$/],
  ['a nice value that is none', file(BODY.replace('n-5', 'n-50')), /^line 4: "n-50" is no operation$/],
  [
    'a run of years',
    file(BODY.replace('r300', 'r300000000000000')),
    /^line 3: "r300000000000000" is no operation$/,
  ],
  [
    'a wait without its wake-up',
    file(BODY.replace(' w1', '')),
    /^task 1 waits for a wake-up by task 0 that never comes$/,
  ],
  [
    'a task that nobody starts',
    file(BODY.replace(' x1', '').replace(' b0', '').replace(' e1 j1', '')),
    /^task 1 is never started$/,
  ],
  [
    'a task that waits for its own end',
    file(BODY.replace('e1', 'e0')),
    /^task 0 waits for the end of task 0, which never comes$/,
  ],
  [
    'shared work of too high a number',
    file(BODY.replace('o3', 'o20000')),
    /^line 3: "o20000" is no operation$/,
  ],
  [
    'a task that is started twice',
    file(BODY.replace('x1', 'x1 x1')),
    /^task 1 is started for the second time, by task 0$/,
  ],
  ['one line too few', file(BODY.replace(/\n[^\n]*\n$/, '\n')), /^it names 2 tasks and has lines for 1$/],
  ['an origin that is none', file(BODY.replace('"cpus":4', '"cpus":0')), /^line 2: origin\.cpus: /],
  ['an origin that is no JSON', file(BODY.replace('{', '[')), /^line 2 is no JSON$/],
] as const) {
  test(`${name} is refused in one sentence`, (t) => t.regex(fault(t, data), message));
}
