// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { BpfObject } from './index.js';
import { buildAddon, cannotLoad, compileBpf } from './test/compile.ts';

buildAddon();

const SCRIPT = new URL('test/damage.ts', import.meta.url).pathname;

function damaged(from: number, to: number, how: 'open' | 'load'): { opened: number; damaged: number } {
  return JSON.parse(
    execFileSync(process.execPath, [SCRIPT, compileBpf('sample'), String(from), String(to), how], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
}

test('damaged object files end at most the child that tries them', (t) => {
  const { opened } = damaged(1, 600, 'open');
  t.true(opened > 20);
});

const why = cannotLoad();
(why === undefined ? test : test.skip)('nor does loading what could be opened', (t) => {
  t.true(damaged(1, 120, 'load').opened > 5);
});

test('an object whose digest is given opens only when its bytes have it', (t) => {
  const path = compileBpf('sample');
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  BpfObject.open(path, { sha256 }).close();
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  t.throws(() => BpfObject.open(bytes, { sha256 }), { code: 'ERR_BPF_DIGEST', message: new RegExp(sha256) });
});

test('what is no regular file is refused, and holds nobody up', (t) => {
  const fifo = join(mkdtempSync(join(tmpdir(), 'napi-')), 'x.bpf.o');
  execFileSync('mkfifo', [fifo]);
  t.throws(() => BpfObject.open(fifo), { code: 'ERR_INVALID_ARG_VALUE', message: /no regular file/ });
  t.throws(() => BpfObject.open('/dev/zero'), { code: 'ERR_INVALID_ARG_VALUE' });
});
