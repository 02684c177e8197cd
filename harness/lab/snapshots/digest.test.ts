// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { dataChunks } from './data-chunks.ts';
import { sparseDigest } from './digest.ts';
import { MIB, scratch } from './scene.ts';

/** The same digest, from the whole file in memory and by its definition. */
function plainDigest(bytes: Buffer): string {
  const number = (value: number) => {
    const eight = Buffer.alloc(8);
    eight.writeUInt32LE(value);
    return eight;
  };
  const hash = createHash('sha256').update(number(bytes.length));
  for (let at = 0; at < bytes.length; at += MIB) {
    const chunk = bytes.subarray(at, at + MIB);
    if (chunk.some((byte) => byte !== 0)) hash.update(number(at / MIB)).update(chunk);
  }
  return hash.digest('hex');
}

test('a sparse file has the digest of its bytes, and is as sparse afterwards', async (t) => {
  const path = join(scratch(t), 'ram');
  const whole = Buffer.alloc(40 * MIB + 777);
  const file = await open(path, 'wx');
  await file.truncate(whole.length);
  for (const [at, text] of [
    [0, 'first'],
    [7 * MIB - 2, 'across'],
    [22 * MIB, 'mid'],
    [40 * MIB + 770, 'the end'],
  ] as const) {
    whole.write(text, at);
    await file.write(text, at);
  }
  await file.close();
  const { blocks } = await stat(path);
  t.deepEqual(await sparseDigest(path), { size: whole.length, digest: plainDigest(whole) });
  t.is((await stat(path)).blocks, blocks);
  t.true(blocks * 512 < MIB, 'the file system keeps holes');
  t.deepEqual(await dataChunks(path, whole.length, MIB), [0, 6, 7, 22, 40]);
});

test('zeros that were written and holes are the same', async (t) => {
  const folder = scratch(t);
  const [dense, sparse] = [join(folder, 'dense'), join(folder, 'sparse')];
  await writeFile(dense, Buffer.alloc(20 * MIB));
  await writeFile(sparse, '');
  await truncate(sparse, 20 * MIB);
  t.true((await stat(dense)).blocks > (await stat(sparse)).blocks);
  t.deepEqual(await sparseDigest(dense), await sparseDigest(sparse));
});

test('one flipped bit, a moved chunk and another length each change the digest', async (t) => {
  const path = join(scratch(t), 'ram');
  const digests = new Set<string>();
  const base = Buffer.alloc(12 * MIB);
  const add = async (change: (bytes: Buffer) => Buffer) => {
    await writeFile(path, change(Buffer.from(base)));
    digests.add((await sparseDigest(path)).digest);
  };
  base.fill(7, 3 * MIB, 4 * MIB);
  await add((bytes) => bytes);
  await add((bytes) => bytes.fill(6, 3 * MIB + 5, 3 * MIB + 6));
  await add((bytes) => bytes.fill(1, 11 * MIB, 11 * MIB + 1));
  await add((bytes) => bytes.fill(0).fill(7, 4 * MIB, 5 * MIB));
  await add((bytes) => bytes.subarray(0, -1));
  await add((bytes) => bytes.subarray(0, 11 * MIB));
  await add(() => Buffer.alloc(0));
  t.is(digests.size, 7);
});

test('where holes cannot be asked for, every chunk is looked at', async (t) => {
  t.deepEqual(
    await dataChunks('/nonexistent', 20, 1),
    Array.from({ length: 20 }, (_, index) => index),
  );
});
