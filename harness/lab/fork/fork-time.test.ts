// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Machine } from '../../core/spec.ts';
import { savedTimeNs } from './fork-time.ts';

const machine = (speed: number): Machine => ({
  engine: 'exact',
  vcpus: 4,
  memoryMiB: 1024,
  speed,
  quantum: 5000,
  topology: { nodes: 1, sockets: 1, cores: 4, threads: 1 },
});

// From a state that QEMU 10.0 saved: 3.399253 s of idle time and 2041253448 instructions.
const SAVED = Buffer.from(
  '031b39191d050c74696d65722f69636f756e740000000100000000ca9c7c080000000079ab0e487e00000000',
  'hex',
);

test('the time of a saved machine is what was added while it was idle, and its instructions', (t) => {
  t.is(savedTimeNs(SAVED, machine(250)), 5_440_506_448);
});

test('an instruction of a slower machine lasts longer', (t) => {
  t.is(savedTimeNs(SAVED, machine(125)), 3_399_253_000 + 2 * 2_041_253_448);
});

test('a state without the section, or one that is cut off in it, gives no time', (t) => {
  t.is(savedTimeNs(Buffer.from('timer/icount'), machine(250)), undefined);
  t.is(savedTimeNs(SAVED.subarray(0, 30), machine(250)), undefined);
});
