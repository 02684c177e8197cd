// SPDX-License-Identifier: Apache-2.0

import { convert } from '../../../trace/convert.ts';
import { decodeEvents, type Recording } from '../../../trace/events.ts';
import { ACCEPTED } from '../fuzz.ts';
import { type Target, wordsOf } from '../target.ts';

const EVENT_BYTES = 24;

/** What the recorder in a guest sends, and the trace that is made of it. */
export function recordingTarget(): Target {
  return {
    name: 'recording',
    about: 'recordings of a guest, made into a trace',
    mostBytes: 8192,
    seeds: [sample()],
    words: ['PMVX-EVENTS 1 ', ' counts 1,2'],
    seal,
    read(input) {
      let recording: Recording;
      try {
        recording = decodeEvents(input);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return wordsOf(error.message);
      }
      try {
        convert(recording);
        return ACCEPTED;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return `no trace: ${wordsOf(error.message)}`;
      }
    },
  };
}

/** A header that tells the number of events that are there. */
function seal(input: Buffer): Buffer {
  const end = input.indexOf(10);
  if (end < 0) return input;
  const events = Math.floor((input.length - end - 1) / EVENT_BYTES);
  const head = input.toString('latin1', 0, end).replace(/ counts [\d,]*$/, ` counts ${events}`);
  return Buffer.concat([
    Buffer.from(`${head}\n`, 'latin1'),
    input.subarray(end + 1, end + 1 + events * EVENT_BYTES),
  ]);
}

/** A program that starts another, which computes, sleeps and is woken. */
function sample(): Buffer {
  const event = (at: number, a: number, b: number, value: number, kind: number) => {
    const bytes = Buffer.alloc(EVENT_BYTES);
    bytes.writeBigUInt64LE(BigInt(at), 0);
    bytes.writeUInt32LE(a, 8);
    bytes.writeUInt32LE(b, 12);
    bytes.writeUInt32LE(value, 16);
    bytes[20] = kind;
    return bytes;
  };
  const named = (at: number, pid: number, name: string) => {
    const text = Buffer.alloc(EVENT_BYTES);
    text.write(name);
    text[20] = 5;
    return [event(at, pid, 0, 20, 4), text];
  };
  const events = [
    ...named(1000, 10, 'make'),
    event(1100, 0, 10, 0, 1),
    event(2000, 10, 11, 0, 3),
    ...named(2100, 11, 'cc'),
    event(2200, 10, 11, 1, 1),
    event(5000, 11, 0, 1, 1),
    event(9000, 0, 11, 1, 2),
    event(9100, 0, 11, 0, 1),
    event(12_000, 11, 10, 0, 2),
    event(12_100, 11, 10, 2, 1),
    event(15_000, 10, 0, 2, 1),
  ];
  const body = Buffer.concat(events);
  const head = `PMVX-EVENTS 1 kernel 7.3 cpus 2 root 10 start 1000 end 16000 lost 0 counts ${body.length / EVENT_BYTES}\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
