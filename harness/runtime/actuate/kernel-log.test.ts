// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { KernelLog } from './kernel-log.ts';

/** A record as /dev/kmsg gives it: its line, then lines of keys. */
const record = (ops: string, reason: string) =>
  `4,812,90,-;sched_ext: BPF scheduler "${ops}" disabled (${reason})\n SUBSYSTEM=sched\n`;

test('what the kernel said since the last call is told once, and what it said before is not', (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'pmvx-kmsg-')), 'kmsg');
  execFileSync('mkfifo', [path]);
  // As the kernel, which always has its end open.
  const kernel = openSync(path, 'r+');
  writeSync(kernel, record('old', 'runtime error'));
  const log = new KernelLog(path);
  t.deepEqual(log.exits(), []);
  writeSync(kernel, record('simple', 'runnable task stall'));
  t.like(log.exits(), [{ ops: 'simple', reason: 'runnable task stall' }]);
  t.deepEqual(log.exits(), []);
  writeSync(kernel, '6,813,91,-;eth0: link up\n');
  t.deepEqual(log.exits(), []);
  log.close();
  writeSync(kernel, record('simple', 'late'));
  t.deepEqual(log.exits(), [], 'a log that is closed tells nothing');
});

test('a machine whose log cannot be read tells nothing, and is no error', (t) => {
  t.deepEqual(new KernelLog('/nowhere/kmsg').exits(), []);
});
