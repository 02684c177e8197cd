// SPDX-License-Identifier: Apache-2.0
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from 'tinybench';
import { sparseDigest } from './digest.ts';
import { openSnapshotStore } from './store.ts';

const MIB = 2 ** 20;

/** Adds what a fork waits for: the digests of a usual machine, once a process, and its later look-ups. */
export async function addSnapshots(bench: Bench, folder: string): Promise<void> {
  const store = await openSnapshotStore(folder, { limitBytes: 2 ** 40 });
  const parts = { v: 1, image: 'bench', arguments: [], blocks: [] };
  const { key, folder: kept } = await store.create(parts, usualMachine);
  const find = async (from: typeof store) => {
    const found = await from.find(key);
    if (found === undefined) throw new Error('the snapshot of the bench is gone');
    return found;
  };
  bench
    .add('snapshot: digest of 1 GiB of memory with 200 MiB of data', async () => {
      await sparseDigest(join(kept, 'ram-0'));
    })
    .add('snapshot: first look-up in a process, all digests', async () => {
      await (await find(await openSnapshotStore(folder, { limitBytes: 2 ** 40 }))).release();
    })
    .add('snapshot: later look-up', async () => {
      await (await find(store)).release();
    });
}

/** 1 GiB of memory, 200 MiB of it data in pieces all over it, and a state of 400 KiB. */
async function usualMachine(folder: string): Promise<null> {
  const ram = await open(join(folder, 'ram-0'), 'wx');
  try {
    await ram.truncate(1024 * MIB);
    const bytes = Buffer.alloc(MIB);
    for (let index = 0; index < 200; index += 1) {
      for (let at = 0; at < MIB; at += 4)
        bytes.writeUInt32LE((index * 77_777 + at * 2_654_435) % 2 ** 32, at);
      await ram.write(bytes, 0, MIB, 5 * index * MIB);
    }
  } finally {
    await ram.close();
  }
  await writeFile(join(folder, 'state'), Buffer.alloc(400 * 1024, 7));
  await writeFile(join(folder, 'data'), 'x'.repeat(4096));
  await writeFile(join(folder, 'console.log'), 'x'.repeat(4096));
  return null;
}
