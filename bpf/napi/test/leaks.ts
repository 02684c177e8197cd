// SPDX-License-Identifier: GPL-2.0-only
// A process of its own, for only there every descriptor is ours: `node leaks.ts collect|workers OBJECT` prints how many are open before
// and after, as JSON.
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { BpfObject } from '../index.js';

function use(path: string, times: number): void {
  for (let i = 0; i < times; i++) {
    const object = BpfObject.open(path).load();
    object.program('on_call').attach();
    object
      .map('events')
      .readRing(() => {})
      .unref();
  }
}

async function afterCollection(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 10; i++) {
    collect();
    await delay(20);
  }
  return openDescriptors();
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

async function work(path: string): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: path });
  await new Promise((resolve, reject) => worker.on('error', reject).on('exit', resolve));
}

if (isMainThread) {
  const [, , how, path = ''] = process.argv;
  const round =
    how === 'workers' ? () => Promise.all([1, 2, 3, 4].map(() => work(path))) : async () => use(path, 10);
  await round();
  const before = await afterCollection();
  for (let i = 0; i < 3; i++) await round();
  const during = openDescriptors();
  console.log(JSON.stringify({ before, during, after: await afterCollection() }));
} else {
  use(workerData as string, 3);
}
