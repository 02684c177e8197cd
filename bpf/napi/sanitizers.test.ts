// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';

const HERE = import.meta.dirname;
const MODULES = resolve(HERE, '../../node_modules');
const FILES = ['ebpf-napi', 'globals', 'ring', 'held', 'damaged'].map((name) => `${name}.test.ts`);
const SANITIZERS =
  '-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined';
/** AddressSanitizer's own locks are not made for fork(2) while other threads use them: there the child of a worker would wait for good. */
const NOT_WORKERS = '!workers *';
const library = (name: string) =>
  execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();

/** A copy of the package and its tests, whose addon has the sanitizers in it. */
function sanitizedCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), 'sanitized-'));
  for (const name of ['src', 'guardian', 'test', 'index.js', 'index.d.ts', 'build.js', ...FILES]) {
    cpSync(join(HERE, name), join(copy, name), { recursive: true });
  }
  symlinkSync(MODULES, join(copy, 'node_modules'));
  const ava = { extensions: ['ts'], timeout: '15m' };
  writeFileSync(join(copy, 'package.json'), JSON.stringify({ type: 'module', ava }));
  execFileSync(process.execPath, ['build.js'], {
    cwd: copy,
    env: { ...process.env, EBPF_NAPI_CFLAGS: SANITIZERS },
  });
  return copy;
}

test('these tests pass with AddressSanitizer and UndefinedBehaviorSanitizer in the addon', (t) => {
  const copy = sanitizedCopy();
  t.teardown(() => rmSync(copy, { recursive: true, force: true }));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(MODULES, 'ava/entrypoints/cli.js'), '--serial', '--tap', '--match', NOT_WORKERS, ...FILES],
    {
      cwd: copy,
      encoding: 'utf8',
      env: {
        ...process.env,
        EBPF_NAPI_PREBUILT: '1',
        LD_PRELOAD: library('libasan.so'),
        // What Node still has at its end is no leak.
        ASAN_OPTIONS: 'detect_leaks=0',
        UBSAN_OPTIONS: 'print_stacktrace=1',
      },
    },
  );
  t.is(status, 0, `${stdout}\n${stderr}`.slice(-8000));
  t.regex(stdout, /^ok \d+ - .*ring buffers that nobody holds/m);
});
