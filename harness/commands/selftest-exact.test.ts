// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import test from 'ava';
import { PmvxError } from '../core/errors.ts';
import { exactCommand } from './selftest-exact.ts';

const context = {
  ...{
    root: resolve(import.meta.dirname, '../..'),
    env: { PMVX_CACHE: '/nowhere' },
    signal: new AbortController().signal,
  },
  ...{ write: () => undefined, warn: () => undefined },
} as never;

test('a storm says how long it is to last', async (t) => {
  const error = await t.throwsAsync(exactCommand({ seed: 1 }, context), { instanceOf: PmvxError });
  t.regex(error?.message ?? '', /nothing says how long to try\. Give --minutes N, --trials N or both/);
});

test('a kind of disturbance that there is none of is refused, with the one that may be meant', async (t) => {
  const call = exactCommand({ seed: 1, trials: 3, only: 'pauses,pauses-windw' }, context);
  const error = await t.throwsAsync(call, { instanceOf: PmvxError });
  t.regex(error?.message ?? '', /there is no kind of disturbance "pauses-windw".*pauses-window/);
});

test('a storm without an image says how to build it', async (t) => {
  const error = await t.throwsAsync(exactCommand({ seed: 1, trials: 3, only: 'none' }, context), {
    instanceOf: PmvxError,
  });
  t.regex(error?.message ?? '', /image quick: not built yet/);
});
