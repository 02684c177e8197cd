// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { AtomicStream } from './atomic-stream.ts';

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-stream-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('the old file is there until the new one is whole, and nothing else is left', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'a.csv');
  writeFileSync(path, 'old');
  const stream = await AtomicStream.open(path);
  await stream.write('one\n');
  await stream.write(Buffer.from('two\n'));
  t.is(readFileSync(path, 'utf8'), 'old');
  await stream.commit();
  t.is(readFileSync(path, 'utf8'), 'one\ntwo\n');
  await stream.discard();
  t.deepEqual(readdirSync(folder), ['a.csv']);
  t.is(readFileSync(path, 'utf8'), 'one\ntwo\n', 'nothing happens after commit');
});

test('what is discarded leaves the old file alone', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'a.csv');
  writeFileSync(path, 'old');
  const stream = await AtomicStream.open(path);
  await stream.write('new');
  await stream.discard();
  t.deepEqual(readdirSync(folder), ['a.csv']);
  t.is(readFileSync(path, 'utf8'), 'old');
});

test('pieces of every size come in their order', async (t) => {
  const path = join(scratch(t), 'a');
  const stream = await AtomicStream.open(path);
  const pieces = [1, 1 << 20, 3, (1 << 20) - 1, 1, 2_500_000, 0, 7].map((size, at) =>
    Buffer.alloc(size, 65 + at),
  );
  for (const piece of pieces) await stream.write(piece);
  await stream.commit();
  t.true(readFileSync(path).equals(Buffer.concat(pieces)));
});

test('a folder that is not there, and a place that a folder has taken, are clear errors', async (t) => {
  const folder = scratch(t);
  const nowhere = join(folder, 'no', 'a.csv');
  const error = await t.throwsAsync(AtomicStream.open(nowhere), { instanceOf: PmvxError });
  t.is(error.code, ExitCode.environment);
  t.true(error.message.startsWith(`${nowhere}: cannot write: a folder of the path does not exist`));
  const path = join(folder, 'b.csv');
  const stream = await AtomicStream.open(path);
  rmSync(join(folder, readdirSync(folder)[0] as string));
  await t.throwsAsync(stream.commit(), { instanceOf: PmvxError, message: /b\.csv: cannot write: .*ENOENT/ });
});

test('a disk that takes no more is told when it is met: at a full piece, or at the end', async (t) => {
  // The kernel answers each write to this device as a full disk does.
  const handle = await open('/dev/full', 'w');
  t.teardown(() => handle.close());
  const of = (): AtomicStream =>
    Reflect.construct(AtomicStream as unknown as new (...parts: unknown[]) => AtomicStream, [
      '/run/log',
      '/run/.log.tmp',
      handle,
    ]);
  const full = { instanceOf: PmvxError, message: /^\/run\/log: cannot write: no space left on the device/ };
  const big = of();
  await t.notThrowsAsync(big.write('little'));
  await t.throwsAsync(big.write(Buffer.alloc(1 << 20)), full);
  const small = of();
  await small.write('little');
  await t.throwsAsync(small.commit(), full);
});
