// SPDX-License-Identifier: Apache-2.0
// Asking about this host, on the host that the tests run on.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { FEATURES } from '../../analysis/features/definition.ts';
import { buildAddon, cannotLoad } from '../../bpf/napi/test/compile.ts';
import { ExitCode, PmvxError } from '../core/errors.ts';
import { thisMachine } from '../runtime/sense/machine.ts';
import { askedOfHost } from './query-live.ts';

buildAddon();
const why = cannotLoad();
const loads =
  why === undefined ? test.serial : (title: string, _: unknown) => test.skip(`${title} (${why})`, () => {});
const scratch = mkdtempSync(join(tmpdir(), 'pmvx-live-'));
test.after.always(() => rmSync(scratch, { recursive: true, force: true }));
/** No image is in that cache: probes are compiled. */
const context = (signal = new AbortController().signal, path = process.env.PATH) => ({
  root: resolve(import.meta.dirname, '../..'),
  env: { ...process.env, PMVX_CACHE: join(scratch, 'cache'), PATH: path },
  signal,
});

loads(
  'a host that does something has a vector of its own machine, or says which counter its kernel lacks',
  async (t) => {
    // Wakes and sleeps, so that no window is too empty.
    const busy = new Worker(
      'setInterval(() => { for (const end = performance.now() + 3; performance.now() < end; ); }, 4)',
      { eval: true },
    );
    try {
      const asked = await askedOfHost(1000, context());
      if (asked.kind === 'unknown') {
        t.regex(
          asked.why,
          /^counter cpu\.wake_sync is absent$/,
          'only a kernel without fentry has no vector',
        );
        return;
      }
      t.is(asked.values.length, FEATURES.length);
      t.true(Math.abs(Math.hypot(...asked.values) - 1) < 1e-9);
      t.deepEqual(asked.machine, thisMachine());
      t.is(asked.machine.engine, 'native');
    } finally {
      await busy.terminate();
    }
  },
);

loads('who stops waiting for the window is told that nothing was observed', async (t) => {
  const stop = new AbortController();
  const asked = askedOfHost(60_000, context(stop.signal));
  stop.abort();
  const error = await t.throwsAsync(asked, { instanceOf: PmvxError });
  t.is(error?.code, ExitCode.interrupted);
});

loads('a host without compiled probes and without clang is told what to install', async (t) => {
  const error = await t.throwsAsync(askedOfHost(250, context(undefined, scratch)), { instanceOf: PmvxError });
  t.is(error?.code, ExitCode.environment);
  t.regex(
    String(error?.message),
    /^bpf\/probes: no compiled probes are here, and clang is not installed\. On Debian: apt-get install clang/,
  );
});
