// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { SnapshotParts } from './keys.ts';

/** A scene of the store's tests: caches in scratch folders, small snapshots, other processes. */
export const MIB = 2 ** 20;

export function partsOf(block: string): SnapshotParts {
  return { v: 1, image: 'i', arguments: ['-smp', '4'], blocks: [block] };
}

export function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pmvx-snapshots-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Fills a folder like an engine does: 64 MiB of memory, sparse, `dataMiB` of it written; facts are `{symbols}`. */
export function filler(dataMiB = 1, byte = 0x5a): (folder: string) => Promise<{ symbols: { a: string } }> {
  return async (folder) => {
    const ram = await open(join(folder, 'ram-0'), 'wx');
    try {
      await ram.truncate(64 * MIB);
      for (let index = 0; index < dataMiB; index += 1) {
        await ram.write(Buffer.alloc(MIB, byte), 0, MIB, (5 + 3 * index) * MIB + 4096);
      }
    } finally {
      await ram.close();
    }
    await writeFile(join(folder, 'state'), 'device state');
    await writeFile(join(folder, 'data'), 'PMVX 2 hello');
    await writeFile(join(folder, 'console.log'), 'Linux version 7\n');
    return { symbols: { a: 'ffffffff81000000' } };
  };
}

/** Says one line on stdout for each line that `code` logs; `store`, `partsOf`, `filler` and `cache` are there. */
export function elsewhere(t: ExecutionContext, cache: string, code: string, limitBytes = 1024 * MIB) {
  const text = `
    import { openSnapshotStore } from '${import.meta.dirname}/store.ts';
    import { filler, partsOf } from '${import.meta.dirname}/scene.ts';
    const cache = process.argv[1];
    const store = await openSnapshotStore(cache, { limitBytes: ${limitBytes}, warn: console.log });
    ${code}`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', text, cache], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  child.stdout.on('data', (bytes: Buffer) => lines.push(...bytes.toString().trim().split('\n')));
  const gone = once(child, 'close');
  return {
    lines,
    /** Waits for the first line. */
    async said(): Promise<string> {
      while (lines.length === 0) await Promise.race([once(child.stdout, 'data'), gone]);
      return lines[0] as string;
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await gone;
    },
    gone,
  };
}
