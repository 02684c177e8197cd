// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import test from 'ava';
import type { Seed } from '../core/seed.ts';
import type { Orders } from './engine.ts';
import { encodeOrders, MAILBOX_BYTES, writeMailbox } from './mailbox.ts';

const words = { summary: 's', suits: 's', weakness: 's', source: 's' };
const BUILTIN: Orders = {
  trial: '0007',
  seed: 77 as Seed,
  policy: { id: 'eevdf', definition: { kind: 'builtin', ...words } },
  run: ['/usr/bin/hackbench', '-l', '60'],
  deadlineMs: 60_000,
};
const PROCESS: Orders = {
  ...BUILTIN,
  policy: {
    id: 'fifo',
    definition: { kind: 'process', ...words, argv: ['/opt/scx_simple', '-f'], ops: 'simple' },
  },
  warmup: ['/usr/bin/hackbench', '-l', '5'],
};

function bodyOf(orders: Orders): string {
  const text = encodeOrders(orders).toString('latin1');
  return text.slice(text.indexOf('\n') + 1);
}

test('orders of the built-in scheduler are a header with length and CRC, and a line a fact', (t) => {
  const body =
    'seed 77\npolicy.kind builtin\npolicy.deadline_ms 20000\n' +
    'run.arg %2Fusr%2Fbin%2Fhackbench\nrun.arg -l\nrun.arg 60\nrun.deadline_ms 60000\n';
  t.is(bodyOf(BUILTIN), body);
  const crc = crc32(body).toString(16).padStart(8, '0');
  t.is(encodeOrders(BUILTIN).toString(), `PMVX-ORDERS 1 ${body.length} ${crc}\n${body}`);
});

test('a scheduler process comes with its arguments, the name that proves it, and a warm-up if there is one', (t) => {
  t.is(
    bodyOf(PROCESS),
    'seed 77\npolicy.kind process\npolicy.deadline_ms 20000\npolicy.ops simple\n' +
      'policy.arg %2Fopt%2Fscx_simple\npolicy.arg -f\n' +
      'warmup.arg %2Fusr%2Fbin%2Fhackbench\nwarmup.arg -l\nwarmup.arg 5\n' +
      'run.arg %2Fusr%2Fbin%2Fhackbench\nrun.arg -l\nrun.arg 60\nrun.deadline_ms 60000\n',
  );
});

test('the CRC in the header has eight digits also when it begins with zeros', (t) => {
  const small = Array.from({ length: 1000 }, (_, at) => encodeOrders({ ...BUILTIN, seed: at as Seed }));
  const digits = small.map((orders) => orders.toString().split('\n')[0]?.split(' ')[3] ?? '');
  t.true(digits.some((crc) => crc.startsWith('0')));
  t.true(digits.every((crc) => /^[0-9a-f]{8}$/.test(crc)));
});

test('a newline, a percent sign, UTF-8 and an empty argument stay within their line', (t) => {
  const run = ['/bin/sh', '-c', 'a\nrun.deadline_ms 1', '100 %', 'größe', ''];
  const lines = bodyOf({ ...BUILTIN, run }).split('\n');
  t.deepEqual(
    lines.filter((line) => line.startsWith('run.arg ')),
    [
      'run.arg %2Fbin%2Fsh',
      'run.arg -c',
      'run.arg a%0Arun.deadline_ms%201',
      'run.arg 100%20%25',
      'run.arg gr%C3%B6%C3%9Fe',
      'run.arg ',
    ],
  );
  t.is(lines.filter((line) => line.startsWith('run.deadline_ms')).length, 1);
});

test('every argument reads back as it was given', (t) => {
  const run = Array.from({ length: 95 }, (_, at) => `x${String.fromCodePoint(32 + at)}\t${at}`);
  const found = bodyOf({ ...BUILTIN, run })
    .split('\n')
    .filter((line) => line.startsWith('run.arg '))
    .map((line) => decodeURIComponent(line.slice('run.arg '.length)));
  t.deepEqual(found, run);
});

test('two trials with one seed, policy and command get the same orders: the trial is not named', (t) => {
  t.deepEqual(encodeOrders({ ...PROCESS, trial: '0099' }), encodeOrders(PROCESS));
  t.notDeepEqual(encodeOrders({ ...PROCESS, seed: 78 as Seed }), encodeOrders(PROCESS));
});

test('orders that the guest has no room for are refused with both sizes', (t) => {
  const error = t.throws(() => encodeOrders({ ...BUILTIN, run: ['x'.repeat(1_044_480)] }), {
    instanceOf: RangeError,
  });
  t.is(error.message, 'orders of 1044564 bytes; at most 1044480 fit');
});

test('an argument that a program cannot be given is refused by its place', (t) => {
  const error = t.throws(() => encodeOrders({ ...BUILTIN, run: ['/bin/echo', 'a\0b'] }), {
    instanceOf: RangeError,
  });
  t.is(error.message, 'run.arg "a\\u0000b" holds a NUL, which ends an argument');
});

test('the mailbox is a sparse file of the size that the machine maps, with the orders at its start', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pmvx-mailbox-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'mailbox');
  await writeMailbox(path, PROCESS);
  const found = await stat(path);
  t.is(found.size, MAILBOX_BYTES);
  t.true(found.blocks * 512 < 2 ** 20);
  const file = await open(path);
  t.teardown(() => file.close());
  const orders = encodeOrders(PROCESS);
  const { buffer } = await file.read(Buffer.alloc(orders.length + 1), 0, orders.length + 1, 0);
  t.deepEqual(buffer, Buffer.concat([orders, Buffer.alloc(1)]));
});
