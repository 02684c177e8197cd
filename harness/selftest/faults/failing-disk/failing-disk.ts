// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { Errno, Operation } from './protocol.ts';

/** Which operations of a disk fail, and how. */
export interface Rule {
  readonly operations: readonly Operation[];
  /** So many go well first. */
  readonly after: number;
  /** So many fail, then all go well again. */
  readonly times: number;
  readonly errno: Errno;
}

/** A disk in memory, mounted through FUSE, that does as it is told. */
export interface FailingDisk {
  /** From now on; nothing fails without a rule. */
  set(rule: Rule | undefined): Promise<void>;
  /** Failures so far under the last rule: `write EIO`. */
  hits(): readonly string[];
  unmount(): Promise<void>;
}

/** Mounts one at `path`. Needs /dev/fuse and the right to mount. */
export async function mountFailingDisk(path: string): Promise<FailingDisk> {
  const fuse = openSync('/dev/fuse', 'r+');
  // Nothing of it names the folder: whoever looks for processes of the run does not find it.
  const server = spawn(process.execPath, [join(import.meta.dirname, 'server.ts')], {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'inherit', fuse],
  });
  const hits: string[] = [];
  let told: (() => void) | undefined;
  createInterface({ input: server.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    if (line === 'ready') told?.();
    else hits.push(line);
  });
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,default_permissions';
  const { status, stderr } = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'failing', path], {
    stdio: ['ignore', 'ignore', 'pipe', fuse],
    encoding: 'utf8',
  });
  closeSync(fuse);
  if (status !== 0) {
    server.kill('SIGKILL');
    throw new Error(`a disk through FUSE cannot be mounted: ${stderr.trim()}`);
  }
  const ended = once(server, 'close');
  return {
    async set(rule) {
      hits.length = 0;
      const ready = new Promise<void>((resolve) => {
        told = resolve;
      });
      server.stdin?.write(`${JSON.stringify(rule ?? {})}\n`);
      await ready;
    },
    hits: () => hits,
    async unmount() {
      await execa('umount', ['--lazy', path], { reject: false });
      server.kill('SIGKILL');
      await ended;
    },
  };
}
